"""Records -> Elasticsearch, and questions back: mappings, documents, the bulk loop, search, history."""
