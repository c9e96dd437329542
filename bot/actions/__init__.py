"""What the assistant does: a form or a question becomes one call of the service's API."""
