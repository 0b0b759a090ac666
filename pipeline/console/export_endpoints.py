"""Any search as a file, without a limit."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from pipeline.console.api import Call, Endpoint
from pipeline.console.desk import Desk
from pipeline.console.search_endpoints import RESOURCES, query_of
from pipeline.index import export
from pipeline.index.export import Format
from pipeline.index.filters import Filters, Resource


class ExportQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and the format of its file."""

    format: Format


def exported(resource: Resource) -> Any:
    """Return the call that exports a search."""

    def call(desk: Desk, call: Call) -> Response:
        form: Format = call.query.format
        export.require(resource, form)
        query = query_of(desk, resource, call.query)
        pieces = export.exported(desk.searcher, resource, query, form)
        first = next(pieces)  # an error of Elasticsearch is still answered as one, not in the middle of a file
        name = f"dateline-{resource}-{desk.now():%Y-%m-%d}.{export.ENDINGS[form]}"

        def body() -> Any:
            yield first
            yield from pieces

        return StreamingResponse(
            body(), media_type=export.MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    return call


ENDPOINTS: Final = tuple(
    Endpoint(
        method="GET",
        path=f"/{resource}/export",
        about=f"All {resource} of a search as a file.",
        call=exported(resource),
        query=ExportQuery,
        media=tuple(dict.fromkeys(media.partition(";")[0] for media in export.MEDIA.values())),
    )
    for resource in RESOURCES
)
