"""The routes about tenants, which the window calls customers."""

from collections.abc import Sequence

from cnc_station.engine.commands import CreateTenant, EditTenant
from cnc_station.engine.queries import ListTenants
from cnc_station.engine.views.tokens import TenantRow
from cnc_station.web.api.account_values import TenantFields, TenantIn, TenantOut, TenantsOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import PageIn


async def _tenant(call: Call, tenant_id: int) -> TenantRow:
    for row in await call.door.ask(ListTenants()):
        if row.id == tenant_id:
            return row
    raise not_found(f"tenant {tenant_id}")


async def _create(call: Call) -> Reply:
    tenant_id = await call.door.execute(CreateTenant(call.body.name, call.body.limits))
    return Reply(TenantOut.of(await _tenant(call, tenant_id)), 201)


async def _list(call: Call) -> Reply:
    query: PageIn = call.query
    rows = await call.door.ask(ListTenants())
    tenants = [TenantOut.of(row) for row in query.of(rows)]
    return Reply(TenantsOut(tenants=tenants, **query.told(len(rows))))


async def _edit(call: Call) -> Reply:
    row = await _tenant(call, call.path["id"])
    await call.door.execute(EditTenant(row.id, call.body.limits))
    return Reply(TenantOut.of(await _tenant(call, row.id)))


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/tenants",
        "Add a tenant",
        CreateTenant,
        _create,
        {201: TenantOut},
        body=(TenantIn,),
        creates=True,
    ),
    Route("GET", "/tenants", "List tenants", ListTenants, _list, {200: TenantsOut}, query=PageIn),
    Route(
        "PATCH",
        "/tenants/{id}",
        "Change the limits of a tenant",
        EditTenant,
        _edit,
        {200: TenantOut},
        body=(TenantFields,),
        refuses=(404, 409),
    ),
)
