# Logs in by every method with the right password and a wrong one, by clients with libpq and without, and by every version of
# the protocol that psql knows ($VERSIONS). Prints what the client is told.
set -u
for user in by_scram by_md5 by_password; do
    for password in right wrong; do
        for version in $VERSIONS; do
            echo "psql $user $password $version"
            PGPASSWORD=$password psql -X -A -t -c 'select current_user' "user=$user $version" 2>&1 | sed 's/.* failed: //'
        done
        PGUSER=$user PGPASSWORD=$password "$PYTHON" "$CLIENTS/logins.py"
    done
done
