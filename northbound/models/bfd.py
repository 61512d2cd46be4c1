"""BFD sessions with next hops of routers."""

from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Resource, reference


class BfdSession(Resource):
    """A session of a router port with the neighbour `dst_ip`; intervals are milliseconds."""

    __tablename__ = "bfd_session"

    logical_router_port_id: Mapped[str] = reference("logical_router_port.id")
    dst_ip: Mapped[str] = mapped_column(index=True)
    min_tx: Mapped[int]
    min_rx: Mapped[int]
    detect_mult: Mapped[int]
    enabled: Mapped[bool] = mapped_column(default=True)
