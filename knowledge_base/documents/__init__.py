"""What offices have – Word, Excel, PDF, Markdown, folders and zips of them – to guides, or a refusal in one sentence.

The libraries that read documents are loaded when a document of their kind comes, never at the service's start.
"""

from knowledge_base.documents.read import Refused, read_documents
from knowledge_base.documents.report import preview, remarks, understood

__all__ = ["Refused", "preview", "read_documents", "remarks", "understood"]
