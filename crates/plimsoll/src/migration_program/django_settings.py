# The project's own settings, but for where the default database is: at the tap, which PG* variables name.
import importlib
import os

_own = importlib.import_module(os.environ["PLIMSOLL_DJANGO_SETTINGS"])
for _name in dir(_own):
    if _name.isupper():
        globals()[_name] = getattr(_own, _name)

_default = dict(_own.DATABASES["default"])
if not any(word in _default.get("ENGINE", "") for word in ("postg", "psycopg")):
    raise SystemExit(
        "plimsoll: DATABASES['default'] has the engine %r, which isn't PostgreSQL's" % _default.get("ENGINE")
    )
_options = dict(_default.get("OPTIONS", {}))
for _key in ("service", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "pool"):
    _options.pop(_key, None)
_default.update(
    HOST=os.environ["PGHOST"],
    PORT=os.environ["PGPORT"],
    USER=os.environ["PGUSER"],
    PASSWORD=os.environ["PGPASSWORD"],
    NAME=os.environ["PGDATABASE"],
    OPTIONS=_options,
)
DATABASES = {**_own.DATABASES, "default": _default}
