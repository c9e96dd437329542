"""Rasa components of our own: tokens, sentence vectors, intent, entities."""
