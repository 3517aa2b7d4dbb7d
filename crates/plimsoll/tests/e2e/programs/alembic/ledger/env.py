import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, engine_from_config, pool

config = context.config
fileConfig(config.config_file_name)
if os.environ.get("LEDGER_READS") == "DATABASE_URL":
    engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
else:
    engine = engine_from_config(config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    print("driver", engine.driver)
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
