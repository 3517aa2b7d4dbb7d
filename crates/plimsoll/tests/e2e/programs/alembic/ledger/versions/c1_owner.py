from alembic import op

revision = "c1"
down_revision = "a1"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("accounts_owner", "accounts", ["owner"], postgresql_concurrently=True)
    op.create_table_comment("accounts", "who owes what")
