"""Records to Elasticsearch, and back: documents, bulk writing, search.

mappings/*.json   the mapping of each kind of document
documents.py      a record in, its document out (document_fields.py: the parts that several documents share)
index_table.py    the moment when an item was first seen in, its index out
actions.py        a record in, its index, id and version out
bulk.py           the bulk loop: retries, and quarantine for documents that cannot be indexed
client.py         the only importer of elasticsearch: connection, templates, bulk requests, queries (wire.py: their JSON)
indexer.py        the indexer process (health.py: its /readyz and /healthz)
upkeep.py         what the indexer does beside: cluster.py (state of the servers), lifecycle.py (retention), snapshots.py
search.py         `dateline search` (terms.py: how words are normalized for it)
history.py        documents in, the events that they were made from out
"""
