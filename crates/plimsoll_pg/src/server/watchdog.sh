# Removes a private folder, and the PostgreSQL server in it, once the program that made it is gone.
# $1: the folder. $2: seconds that a server may need until its postmaster.pid is there.
# $3: "make" to make the folder first, and tell standard output so by an empty line, or why not. A program that made it
# itself could be killed before it has a watchdog.
# Standard input: the server's process number, once known; its end means that the program is gone.
# PIPE: the program may end before it is told of the folder.
trap '' HUP INT QUIT TERM PIPE
folder=$1
server=
if [ "$3" = make ]; then
  mkdir -m 700 -- "$folder" 2>&1 || exit 1
  echo
  exec >/dev/null
fi
while read -r line; do server=$line; done
[ -d "$folder" ] || exit 0

nap() { sleep 0.1 2>/dev/null || sleep 1; }

# A process number alone may meanwhile be another program's: the command line names our folder.
# (That of initdb has "postgres" too, as the name of the role.)
is_server() {
  [ -n "$1" ] || return 1
  if [ -r "/proc/$1/cmdline" ]; then
    command=$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null)
  else
    command=$(ps -p "$1" -o args= 2>/dev/null)
  fi
  case $command in *postgres*"$folder/data"*) return 0 ;; esac
  return 1
}

wait_for_server() {
  rounds=0
  while is_server "$server" && [ "$rounds" -lt "$1" ]; do nap; rounds=$((rounds + 1)); done
}

pid_file=$folder/data/postmaster.pid
if [ -z "$server" ]; then
  [ -f "$pid_file" ] || sleep "$2"
  [ -f "$pid_file" ] && read -r server <"$pid_file"
fi
if is_server "$server"; then
  kill -QUIT "$server" 2>/dev/null
  wait_for_server 60
  is_server "$server" && kill -KILL "$server" 2>/dev/null
  wait_for_server 60
fi
# Line 7 is "key id" of the System V segment. Only a killed server leaves its file and segment.
if [ -f "$pid_file" ]; then
  segment=$(sed -n '7s/^ *[0-9][0-9]*  *\([0-9][0-9]*\) *$/\1/p' "$pid_file")
  [ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
fi
# The server's children notice its death by themselves, but may write until then.
rounds=0
while [ -d "$folder" ] && [ "$rounds" -lt 100 ]; do
  rm -rf -- "$folder" 2>/dev/null || nap
  rounds=$((rounds + 1))
done
