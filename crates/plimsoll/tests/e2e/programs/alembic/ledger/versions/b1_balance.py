import sqlalchemy as sa
from alembic import op

revision: str = "b1"
down_revision: str | None = "a1"


def upgrade():
    op.add_column("accounts", sa.Column("balance", sa.Numeric(12, 2)))
    op.get_bind().execute(sa.text("UPDATE accounts SET balance = :start"), {"start": "1.50"})
    op.alter_column("accounts", "balance", type_=sa.Numeric(14, 4))
