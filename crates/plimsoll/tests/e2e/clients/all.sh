# Runs every client in turn against whatever PG* variables name. What each prints goes to a file below $OUT, and so does a
# dump of the database as it is afterwards, read at the server itself: its socket is in $SERVER_SOCKET.
set -u
mkdir -p "$OUT"
sh "$CLIENTS/psql.sh"
for client in psycopg3 psycopg2_client asyncpg_client sqlalchemy_client; do
    "$PYTHON" "$CLIENTS/$client.py" >"$OUT/$client" 2>&1
    echo "exit code $?" >>"$OUT/$client"
done
PGHOST=$SERVER_SOCKET PGPORT=5432 pg_dump | grep -v '^.\(un\)\?restrict ' >"$OUT/database"
