"""An editor made of pygls' client, which drives `plimsoll lsp` as a person would through it.

Usage: editor.py SCENARIO PROGRAM FOLDER. Each scenario is a function below; the folder is empty.
"""

import asyncio
import collections
import pathlib
import sys

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 60


class Editor:
    """One server, and the documents that are open in it."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.client = LanguageClient("editor", "1")
        self.texts = {}
        self.versions = {}
        self.published = {}
        self.told = collections.Counter()
        self.messages = []
        self.registered = []
        self.news = asyncio.Event()
        self.encoding = "utf-16"

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params):
            self.published[params.uri] = params
            self.told[params.uri] += 1
            self.news.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        def shown(params):
            self.messages.append(params.message)
            self.news.set()

        @self.client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def registered(params):
            self.registered += [one.method for one in params.registrations]

    async def start(self, roots=None, encodings=None, watches=True):
        await self.client.start_io(self.program, "lsp")
        capabilities = types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=encodings),
            workspace=types.WorkspaceClientCapabilities(
                did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=watches),
            ),
            text_document=types.TextDocumentClientCapabilities(
                hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
            ),
        )
        folders = [types.WorkspaceFolder(uri=root.as_uri(), name=root.name) for root in roots or [self.folder]]
        answer = await self.client.initialize_async(
            types.InitializeParams(capabilities=capabilities, workspace_folders=folders, root_uri=folders[0].uri)
        )
        self.encoding = answer.capabilities.position_encoding
        self.client.initialized(types.InitializedParams())
        return answer

    async def stop(self):
        await self.client.shutdown_async(None)
        self.client.exit(None)
        code = await asyncio.wait_for(self.client._server.wait(), PATIENCE)
        check(code, 0)

    def uri(self, path):
        return (self.folder / path).as_uri() if isinstance(path, str) and ":" not in path else str(path)

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    async def open(self, path, text=None):
        uri = self.uri(path)
        if text is None:
            text = (self.folder / path).read_bytes().decode()
        self.texts[uri] = text
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri=uri, language_id="sql", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return await self.diagnosed(path)

    def close(self, path):
        document = types.TextDocumentIdentifier(uri=self.uri(path))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def units(self, text):
        return len(text.encode("utf-8")) if self.encoding == "utf-8" else len(text.encode("utf-16-le")) // 2

    def position(self, uri, offset):
        before = self.texts[uri][:offset]
        line = before.count("\n")
        return types.Position(line, self.units(before.rsplit("\n", 1)[-1]))

    def offset(self, uri, position):
        lines = self.texts[uri].split("\n")
        start = sum(len(line) + 1 for line in lines[: position.line])
        line = lines[position.line]
        for at in range(len(line) + 1):
            if self.units(line[:at]) >= position.character:
                return start + at
        raise AssertionError(f"{position} is behind the end of {line!r}")

    def marked(self, path, diagnostic):
        """The text that a diagnostic marks."""
        uri = self.uri(path)
        return self.texts[uri][self.offset(uri, diagnostic.range.start) : self.offset(uri, diagnostic.range.end)]

    async def replace(self, path, *edits):
        """Replaces texts by texts, all in one message, and waits for the diagnostics."""
        uri = self.uri(path)
        changes = []
        for old, new in edits:
            start = self.texts[uri].index(old)
            place = types.Range(self.position(uri, start), self.position(uri, start + len(old)))
            changes.append(types.TextDocumentContentChangePartial(range=place, text=new))
            self.texts[uri] = self.texts[uri][:start] + new + self.texts[uri][start + len(old) :]
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))
        return await self.diagnosed(path)

    async def diagnosed(self, path):
        """The diagnostics of the text as it is now."""
        uri = self.uri(path)

        def current():
            published = self.published.get(uri)
            return published if published and published.version == self.versions[uri] else None

        await self.wait(current)
        # What was found at a glance may not be all. An answer comes when all of the text was judged.
        place = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(0, 0))
        await self.client.text_document_hover_async(place)
        return list(self.published[uri].diagnostics)

    async def until(self, path, codes):
        """Waits until the diagnostics have these codes."""

        def found():
            published = self.published.get(self.uri(path))
            return published and [one.code for one in published.diagnostics] == codes or None

        await self.wait(found)

    async def wait(self, attempt):
        async with asyncio.timeout(PATIENCE):
            while (answer := attempt()) is None:
                self.news.clear()
                await self.news.wait()
            return answer

    async def hover(self, path, text):
        uri = self.uri(path)
        params = types.HoverParams(
            types.TextDocumentIdentifier(uri), self.position(uri, self.texts[uri].index(text) + 1)
        )
        return await self.client.text_document_hover_async(params)

    async def actions(self, path, diagnostic, only=None):
        context = types.CodeActionContext(diagnostics=[diagnostic], only=only)
        document = types.TextDocumentIdentifier(self.uri(path))
        params = types.CodeActionParams(document, diagnostic.range, context)
        return list(await self.client.text_document_code_action_async(params))

    async def apply(self, path, action):
        """Makes an action's edits, and waits for the diagnostics."""
        uri = self.uri(path)
        [(edited, edits)] = action.edit.changes.items()
        check(edited, uri)
        places = [(self.offset(uri, e.range.start), self.offset(uri, e.range.end), e.new_text) for e in edits]
        changes = []
        for start, end, new in sorted(places, reverse=True):
            place = types.Range(self.position(uri, start), self.position(uri, end))
            changes.append(types.TextDocumentContentChangePartial(range=place, text=new))
        for start, end, new in sorted(places, reverse=True):
            self.texts[uri] = self.texts[uri][:start] + new + self.texts[uri][end:]
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))
        return await self.diagnosed(path)

    def tell_of_change(self, path):
        event = types.FileEvent(uri=self.uri(path), type=types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))


def check(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def codes(diagnostics):
    return [one.code for one in diagnostics]


TABLE = "create table ships (id int primary key, name text);\n"
INDEX = "create index ships_name on ships (name);\n"
UNSAFE = "require-concurrent-index-creation"


async def session(editor):
    """A dangerous migration is told, explained, and mended by what is offered."""
    editor.write("migrations/1.sql", TABLE)
    answer = await editor.start()
    check(answer.server_info.name, "plimsoll")
    check(answer.capabilities.position_encoding, "utf-16")
    text = "set lock_timeout = '2s';\n" + INDEX + "\talter table ships alter name type int using 1;\n"
    found = await editor.open("migrations/2.sql", text)
    check(codes(found), [UNSAFE, "changing-column-type"])
    check([one.severity for one in found], [types.DiagnosticSeverity.Error] * 2)
    check([one.source for one in found], ["plimsoll"] * 2)
    check(editor.marked("migrations/2.sql", found[0]), "create index ships_name on ships (name)")
    assert "CREATE INDEX CONCURRENTLY" in found[0].message.upper(), found[0].message
    check(found[0].data, {"lock": "SHARE", "relation": "public.ships", "work": "builds an index on"})

    hover = await editor.hover("migrations/2.sql", "create index")
    check(hover.contents.value, "- **SHARE** on `public.ships`: nobody can write to it; an index is built\n")
    hover = await editor.hover("migrations/2.sql", "alter name")
    assert hover.contents.value.startswith("- **ACCESS EXCLUSIVE** on `public.ships`: nobody can read or write it")
    check(hover.range.start, types.Position(2, 19))
    hover = await editor.hover("migrations/2.sql", "set lock_timeout")
    check(hover.contents.value, "Locks no relation that existed before this change.\n")
    check(await editor.hover("migrations/2.sql", ";\n\talter"), None)

    actions = await editor.actions("migrations/2.sql", found[0])
    check([one.title for one in actions], ["Add CONCURRENTLY", f"Ignore {UNSAFE} here"])
    check([one.is_preferred for one in actions], [True, None])
    check(actions[0].diagnostics[0].code, UNSAFE)
    check(await editor.actions("migrations/2.sql", found[0], only=["refactor"]), [])
    check(len(await editor.actions("migrations/2.sql", found[0], only=["quickfix"])), 2)
    found = await editor.apply("migrations/2.sql", actions[0])
    check(codes(found), ["changing-column-type"])

    # What has no fix is ignored: on a line of its own, indented as the statement is.
    [ignore] = await editor.actions("migrations/2.sql", found[0])
    check(codes(await editor.apply("migrations/2.sql", ignore)), [])
    assert "\n\t-- plimsoll: ignore changing-column-type -- reason\n\talter" in editor.texts[editor.uri("migrations/2.sql")]

    # A comment that is of no use any more is greyed out.
    [unused] = await editor.replace("migrations/2.sql", ("alter name type int using 1", "add note text"))
    check((unused.code, list(unused.tags)), ("unused-ignore", [types.DiagnosticTag.Unnecessary]))
    check(await editor.actions("migrations/2.sql", unused), [])
    await editor.stop()


async def statements_on_one_line(editor):
    """A statement behind another on its line is ignored without its neighbours."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    found = await editor.open("migrations/2.sql", f"select 1; {INDEX.strip()} drop table ships;\n")
    check(codes(found), [UNSAFE, "ban-drop-table", "require-lock-timeout"])
    actions = await editor.actions("migrations/2.sql", found[0])
    check(codes(await editor.apply("migrations/2.sql", actions[-1])), ["ban-drop-table", "require-lock-timeout"])
    text = editor.texts[editor.uri("migrations/2.sql")]
    assert text.startswith(f"select 1; /* plimsoll: ignore {UNSAFE} -- reason */ create index"), text
    await editor.stop()


async def encodings(editor):
    """Unsaved edits around emoji leave every mark where it belongs, whatever columns count."""
    editor.write("migrations/1.sql", TABLE)
    for wanted in (None, ["utf-16"], ["utf-32", "utf-8", "utf-16"]):
        for mark in ("", "\ufeff"):
            one = Editor(editor.program, editor.folder)
            await one.start(encodings=wanted)
            check(one.encoding, "utf-8" if wanted and "utf-8" in wanted else "utf-16")
            text = mark + "-- 🚢🚢 é\r\nselect '🚢'; " + INDEX.replace("\n", "\r\n")
            [found] = await one.open("migrations/2.sql", text)
            check(one.marked("migrations/2.sql", found), "create index ships_name on ships (name)")
            [found] = await one.replace("migrations/2.sql", ("'🚢'", "'🚢🚢', 'é🚢'"), ("🚢🚢 é", "é\r\n-- 🚢"))
            check(one.marked("migrations/2.sql", found), "create index ships_name on ships (name)")
            actions = await one.actions("migrations/2.sql", found)
            check(await one.apply("migrations/2.sql", actions[0]), [])
            uri = one.uri("migrations/2.sql")
            check(one.texts[uri].count("'🚢🚢', 'é🚢'; create index CONCURRENTLY ships_name on"), 1)
            [found] = await one.replace("migrations/2.sql", ("; create index CONCURRENTLY", ";\r\n  create index"))
            actions = await one.actions("migrations/2.sql", found)
            check(await one.apply("migrations/2.sql", actions[1]), [])
            assert f"\r\n  -- plimsoll: ignore {UNSAFE} -- reason\r\n  create index" in one.texts[uri], one.texts[uri]
            await one.stop()


async def place_in_history(editor):
    """A document stands where it belongs in the order, with what is open before it, saved or not."""
    editor.write("migrations/1.sql", TABLE)
    editor.write("migrations/9.sql", "create table later (id int);\n")
    await editor.start()
    # A file that isn't there yet: after the table, before what comes later.
    found = await editor.open("migrations/2.sql", INDEX + "drop table if exists later;\n")
    check(codes(found), [UNSAFE])
    # The table isn't made before the change any more: nothing says that it is in use.
    await editor.open("migrations/1.sql")
    await editor.replace("migrations/1.sql", (TABLE, "create table other (id int);\n"))
    await editor.replace("migrations/1.sql", ("other", "ships"), ("(id int)", "(id int, name text)"))
    await editor.until("migrations/2.sql", [UNSAFE])
    await editor.replace("migrations/1.sql", ("create table ships", "create table later"))
    await editor.until("migrations/2.sql", [UNSAFE, "ban-drop-table", "require-lock-timeout"])
    # Closed without being saved: the disk counts again.
    editor.close("migrations/1.sql")
    await editor.until("migrations/1.sql", [])
    await editor.until("migrations/2.sql", [UNSAFE])
    await editor.stop()


async def changes_on_disk(editor):
    """Configuration and earlier migrations are read again when they change."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    await editor.open("migrations/2.sql", "drop table if exists ports;\n")
    await editor.until("migrations/2.sql", [])
    check(editor.registered, ["workspace/didChangeWatchedFiles"])
    editor.write("migrations/1.sql", TABLE + "create table ports (id int);\n")
    editor.tell_of_change("migrations/1.sql")
    await editor.until("migrations/2.sql", ["ban-drop-table", "require-lock-timeout"])
    editor.write("plimsoll.toml", "[lint]\nignore = ['ban-drop-table']\n")
    editor.tell_of_change("plimsoll.toml")
    await editor.until("migrations/2.sql", ["require-lock-timeout"])
    # What is wrong with it is said once, and takes nothing down.
    editor.write("plimsoll.toml", "[lint]\nignore = ['ban-drop-tabel']\n")
    editor.tell_of_change("plimsoll.toml")
    await editor.until("migrations/2.sql", [])
    [message] = await editor.wait(lambda: editor.messages or None)
    assert message.startswith("Plimsoll failed to use plimsoll.toml:2:11: "), message
    editor.write("plimsoll.toml", "[lint]\nbaseline = 'known.txt'\n")
    editor.write("known.txt", "# plimsoll baseline, format 1\n")
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await editor.until("migrations/2.sql", ["ban-drop-table", "require-lock-timeout"])
    # Nobody needs a file any more that has gone.
    (editor.folder / "migrations/1.sql").unlink()
    (editor.folder / "plimsoll.toml").unlink()
    editor.tell_of_change("migrations/1.sql")
    await editor.until("migrations/2.sql", ["ban-drop-table", "require-lock-timeout"])
    check(len(editor.messages), 1)
    await editor.stop()


async def without_watching(editor):
    """An editor that doesn't watch files has them read again at every save."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start(watches=False)
    await editor.open("migrations/2.sql", "drop table if exists ports;\n")
    await editor.until("migrations/2.sql", [])
    editor.write("migrations/1.sql", TABLE + "create table ports (id int);\n")
    document = types.TextDocumentIdentifier(editor.uri("migrations/2.sql"))
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
    await editor.until("migrations/2.sql", ["ban-drop-table", "require-lock-timeout"])
    check(editor.registered, [])
    await editor.stop()


async def several_roots(editor):
    """Each folder is a project of its own, and what lies in none is judged alone."""
    editor.write("a/migrations/1.sql", TABLE)
    editor.write("b/plimsoll.toml", "[migrations]\npath = 'db'\n[lint]\nignore = ['ban-drop-table']\n")
    editor.write("b/db/1.sql", TABLE)
    editor.write("alone/1.sql", TABLE)
    await editor.start(roots=[editor.folder / "a"])
    drop = "drop table if exists ships;\n"
    check(codes(await editor.open("a/migrations/2.sql", drop)), ["ban-drop-table", "require-lock-timeout"])
    check(codes(await editor.open("b/db/2.sql", drop)), ["require-lock-timeout"])
    # Judged alone it may mean a table that is there.
    check(codes(await editor.open("alone/2.sql", "create index on ships (name);\n")), [UNSAFE])
    check(codes(await editor.open("untitled:Untitled-1", INDEX)), [UNSAFE])
    check(codes(await editor.open("untitled:Untitled-2", TABLE + INDEX)), [])
    # A new index on a table that is made in the file before it, once that is in a project.
    found = await editor.open("alone/3.sql", "drop table if exists harbours;\n")
    check(codes(found), ["ban-drop-table", "require-lock-timeout"])
    folder = types.WorkspaceFolder(uri=(editor.folder / "alone").as_uri(), name="alone")
    event = types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
    await editor.until("alone/3.sql", [])
    event = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
    await editor.until("alone/3.sql", ["ban-drop-table", "require-lock-timeout"])
    await editor.stop()


async def no_change(editor):
    """What no deploy runs as a change is left in peace."""
    config = "[database]\nschema = 'dump.sql'\nseed = 'seed.sql'\n[queries]\npath = 'queries'\n"
    editor.write("plimsoll.toml", config)
    editor.write("dump.sql", TABLE)
    editor.write("seed.sql", "drop table ships;\n")
    editor.write("queries/a.sql", "drop table ships;\n")
    await editor.start()
    drop = "drop table ships;\n"
    for path in ("dump.sql", "seed.sql", "queries/a.sql", "migrations/1.down.sql", "migrations/1/down.sql"):
        check(await editor.open(path, drop), [])
        check(await editor.hover(path, "drop"), None)
    check(codes(await editor.open("migrations/1.sql", drop)), ["ban-drop-table", "require-lock-timeout"])
    await editor.stop()


async def templates_and_layouts(editor):
    """Marks stand in the file's own text, and an edit that shows another tool's layout is believed."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    path = "migrations/2.sql"
    [found] = await editor.open(path, "create index on {{ schema_of('🚢') }}.ships (name);\n")
    check(editor.marked(path, found), "create index on {{ schema_of('🚢') }}.ships (name)")
    text = "create index on {{ schema_of('🚢') }}.ships (name);\n"
    down = "-- migrate:up\nselect 1;\n-- migrate:down\n" + INDEX
    check(await editor.replace(path, (text, down)), [])
    check(codes(await editor.replace(path, ("-- migrate:down\n", ""))), [UNSAFE])
    check(codes(await editor.replace(path, ("-- migrate:up\nselect 1;\n", ""))), [UNSAFE])
    await editor.stop()


async def wrong_positions(editor):
    """A position that isn't in the text means the nearest that is, and no edit puts the server out of step."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    path = "migrations/2.sql"
    await editor.open(path, "-- 🚢\n")
    far = 2**31 - 1
    place = types.Position
    edits = [
        # Behind the last line, within a pair of surrogates, behind a line's end, and backwards.
        (place(far, far), place(far, far), INDEX, "-- 🚢\n" + INDEX),
        (place(0, 4), place(0, 5), "", "-- \n" + INDEX),
        (place(0, far), place(0, far), "é", "-- é\n" + INDEX),
        (place(0, 4), place(0, 3), "", "-- \n" + INDEX),
    ]
    uri = editor.uri(path)
    for start, end, new, expected in edits:
        editor.texts[uri] = expected
        editor.versions[uri] += 1
        change = types.TextDocumentContentChangePartial(range=types.Range(start, end), text=new)
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=editor.versions[uri])
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        [found] = await editor.diagnosed(path)
        check(editor.marked(path, found), INDEX.strip(";\n"))
    document = types.TextDocumentIdentifier(uri)
    everywhere = types.Range(place(0, 0), place(far, far))
    actions = types.CodeActionParams(document, everywhere, types.CodeActionContext(diagnostics=[]))
    check(len(await editor.client.text_document_code_action_async(actions)), 2)
    check(await editor.client.text_document_hover_async(types.HoverParams(document, place(far, far))), None)
    await editor.stop()


async def rapid_edits(editor):
    """Who types faster than the server judges is told of the last text, and not of all those before."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    path = "migrations/2.sql"
    await editor.open(path, "select 1;\n" * 2000)
    uri = editor.uri(path)
    for key in INDEX * 20:
        end = editor.position(uri, len(editor.texts[uri]))
        editor.texts[uri] += key
        editor.versions[uri] += 1
        change = types.TextDocumentContentChangePartial(range=types.Range(end, end), text=key)
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=editor.versions[uri])
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
    found = await editor.diagnosed(path)
    check(codes(found).count(UNSAFE), 20)
    assert editor.told[uri] < len(INDEX * 20), f"{editor.told[uri]} answers"
    await editor.stop()


async def configuration_deleted(editor):
    """A project whose configuration goes, and comes back, while its files are open is judged by what there is."""
    editor.write("db/plimsoll.toml", "[migrations]\npath = 'sql'\n[lint]\nignore = ['ban-drop-table']\n")
    editor.write("db/sql/1.sql", TABLE)
    for watches in (True, False):
        one = Editor(editor.program, editor.folder)
        await one.start(watches=watches)
        document = types.TextDocumentIdentifier(one.uri("db/sql/2.sql"))

        def saved():
            if watches:
                one.tell_of_change("db/plimsoll.toml")
            else:
                one.client.text_document_did_save(types.DidSaveTextDocumentParams(document))

        check(codes(await one.open("db/sql/2.sql", "drop table ships;\n")), ["require-lock-timeout"])
        configuration = editor.folder / "db/plimsoll.toml"
        text = configuration.read_text()
        configuration.unlink()
        saved()
        await one.until("db/sql/2.sql", ["ban-drop-table", "require-lock-timeout"])
        # Typing goes on meanwhile.
        found = await one.replace("db/sql/2.sql", ("drop table ships;", "drop table ships; select 1;"))
        check(codes(found), ["ban-drop-table", "require-lock-timeout"])
        editor.write("db/plimsoll.toml", text)
        saved()
        await one.until("db/sql/2.sql", ["require-lock-timeout"])
        check(one.messages, [])
        await one.stop()


async def large_file(editor):
    """A large file that somebody opens and edits is judged, and no harm to the rest."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    row = "insert into ships (id, name) values (1, 'a ship with a rather long name, for her size');\n"
    await editor.open("migrations/3.sql", row * 3_000 + INDEX)
    check(codes(await editor.replace("migrations/3.sql", ("create index", "-- 🚢\ncreate index"))), [UNSAFE])
    check(codes(await editor.open("migrations/2.sql", INDEX)), [UNSAFE])
    editor.close("migrations/3.sql")
    await editor.until("migrations/3.sql", [])
    await editor.stop()


async def every_prefix(editor):
    """No text on the way to a migration is too much for the server."""
    editor.write("migrations/1.sql", TABLE)
    await editor.start()
    text = (
        "set lock_timeout = '2s';\ndo $$ begin execute format('alter table %I add x int', 'ships'); end $$;\n"
        "copy ships (id) from stdin;\n1\n\\.\nalter table ships add column \"🚢\" text default E'\\u00e9' -- plimsoll: ignore\n;"
        "/* create index on {{ x }} */ create index on ships (name) where name like '%(x)s';\n"
    )
    await editor.open("migrations/2.sql", "")
    uri = editor.uri("migrations/2.sql")
    for character in text:
        end = editor.position(uri, len(editor.texts[uri]))
        change = types.TextDocumentContentChangePartial(range=types.Range(end, end), text=character)
        editor.texts[uri] += character
        editor.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=editor.versions[uri])
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        place = types.HoverParams(types.TextDocumentIdentifier(uri), editor.position(uri, len(editor.texts[uri]) // 2))
        await editor.client.text_document_hover_async(place)
    check(codes(await editor.diagnosed("migrations/2.sql"))[-1], UNSAFE)
    check(editor.messages, [])
    await editor.stop()


def main():
    scenario, program, folder = sys.argv[1:]
    asyncio.run(globals()[scenario](Editor(program, pathlib.Path(folder))))


main()
