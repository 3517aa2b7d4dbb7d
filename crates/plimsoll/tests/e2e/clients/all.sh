# Runs every client in turn against whatever PG* variables name. What each prints goes to a file below $OUT, and so does a
# dump of the database as it is afterwards, read at the server itself: its socket is in $SERVER_SOCKET.
set -u
mkdir -p "$OUT"
sh "$CLIENTS/psql.sh"
for client in psycopg3 psycopg2_client asyncpg_client sqlalchemy_client; do
    "$PYTHON" "$CLIENTS/$client.py" >"$OUT/$client" 2>&1
    echo "exit code $?" >>"$OUT/$client"
done
"$NODE" "$CLIENTS/node_postgres.cjs" >"$OUT/node_postgres" 2>&1
echo "exit code $?" >>"$OUT/node_postgres"
# It writes its file itself: the test binary tells times.
"$TESTS" --exact tokio_client::talks --ignored >"$OUT/tests" 2>&1 && rm "$OUT/tests"
PGHOST=$SERVER_SOCKET PGPORT=5432 pg_dump | grep -v '^.\(un\)\?restrict ' >"$OUT/database"
