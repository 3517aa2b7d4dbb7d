import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "accounts", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("owner", sa.Text, nullable=False)
    )
    op.execute("INSERT INTO accounts (owner) SELECT 'o' || g FROM generate_series(1, 500) g")
