"""The console: the page, and the query API under /api/v1 that it and others use.

api.py              what an endpoint is: its query, body and answer as types; requests decoded, errors as JSON
openapi.py          the endpoints in, their OpenAPI 3.1 description out
desk.py             what the endpoints share: the connection to Elasticsearch, the settings, feedback
*_endpoints.py      the endpoints, by subject
live.py             new records as server-sent events
access.py           who may do what: users, roles, limits, checks of the Host header; the audit log
app.py, server.py   all of it as an ASGI application; the process
"""
