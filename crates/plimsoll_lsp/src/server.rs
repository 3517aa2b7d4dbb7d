//! The server's life: messages in their order, and between them the judging of what they changed.
//!
//! Edits that came in meanwhile are made before anything is judged, so that a fast typist is told
//! of the last text alone. An edit is answered at a glance, where that is possible, and then looked
//! into; what it means for the other documents is looked at when the typist rests.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use gen_lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, DidChangeTextDocumentParams,
    DidChangeWatchedFilesRegistrationOptions, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, FileSystemWatcher, GlobPattern, Hover, HoverParams, InitializeResult,
    MarkupContent, MarkupKind, MessageType, PositionEncodingKind, PublishDiagnosticsParams, Registration,
    RegistrationParams, SaveOptions, ServerCapabilities, ServerInfo, ShowMessageParams, TextDocumentSyncKind,
    TextDocumentSyncOptions, Uri, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use plimsoll_lint::StatementEffects;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::actions::actions;
use crate::diagnostics::diagnostics;
use crate::document::Document;
use crate::hover::{Markup, about};
use crate::judge::{Judge, Judged};
use crate::position::Encoding;
use crate::transport::{Incoming, Outbox, ServeError, messages};
use crate::uri::path_of;

/// Files whose changes on disk the server wants to hear of: migrations, what lies beside them, and
/// configuration.
const WATCHED: &str = "**/*.{sql,toml,conf}";

/// How long nothing must come in before documents are judged that nobody types in.
const QUIET: Duration = Duration::from_millis(150);

/// How a server's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client asked for it, and had said so before.
    Asked,
    /// The client was gone, or left without a word.
    Abrupt,
}

/// Serves one client, to the end of the input.
///
/// # Errors
///
/// When what comes in is no message at all, or a stream breaks.
pub fn serve(
    input: impl Read + Send + 'static,
    output: impl Write,
    judge: impl Judge,
) -> Result<Ending, ServeError> {
    let mut server = Server {
        judge,
        client: Outbox::new(output),
        stage: Stage::Before,
        talk: Talk { encoding: Encoding::Utf16, markup: Markup::Plain, watches: Watches::No },
        folders: Vec::new(),
        documents: BTreeMap::new(),
        edited: VecDeque::new(),
        unfinished: VecDeque::new(),
        affected: VecDeque::new(),
    };
    server.run(&messages(input))
}

/// How far a session has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// `initialize` hasn't come.
    Before,
    Running,
    /// `shutdown` has come.
    ShutDown,
}

/// Whether something was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Done,
    None,
}

/// What was agreed on with the client.
struct Talk {
    encoding: Encoding,
    markup: Markup,
    watches: Watches,
}

/// Whether the client says when files change on disk. If not, they are read again whenever a
/// document is opened or saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watches {
    Yes,
    No,
}

struct Open {
    document: Document,
    judged: Option<Judged>,
    /// What the statements do; made when it is asked for.
    effects: Option<Vec<StatementEffects>>,
    /// What the client was told last.
    published: Option<PublishDiagnosticsParams>,
    /// Why it couldn't be judged; empty if it was.
    complaint: String,
}

struct Server<J: Judge, W: Write> {
    judge: J,
    client: Outbox<W>,
    stage: Stage,
    talk: Talk,
    folders: Vec<PathBuf>,
    /// By URI, as the client spells it.
    documents: BTreeMap<String, Open>,
    /// URIs of documents whose text is new.
    edited: VecDeque<String>,
    /// URIs of documents of whose text more is to be said.
    unfinished: VecDeque<String>,
    /// URIs of documents around which something changed.
    affected: VecDeque<String>,
}

/// A request that can't be answered.
struct Refused(ErrorCode, String);

impl<J: Judge, W: Write> Server<J, W> {
    fn run(&mut self, messages: &Receiver<Incoming>) -> Result<Ending, ServeError> {
        loop {
            let incoming = match messages.try_recv() {
                Ok(incoming) => Some(incoming),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) if self.work()? == Work::Done => continue,
                Err(TryRecvError::Empty) if self.affected.is_empty() => messages.recv().ok(),
                Err(TryRecvError::Empty) => match messages.recv_timeout(QUIET) {
                    Ok(incoming) => Some(incoming),
                    Err(RecvTimeoutError::Disconnected) => None,
                    Err(RecvTimeoutError::Timeout) => {
                        self.unfinished.append(&mut self.affected);
                        continue;
                    }
                },
            };
            match incoming {
                Some(Incoming::Message(Message::Request(request))) => self.request(request)?,
                Some(Incoming::Message(Message::Notification(notification))) => {
                    if notification.method == "exit" {
                        return Ok(self.ending());
                    }
                    self.notification(notification)?;
                }
                // Of what the client was asked nothing is waited for.
                Some(Incoming::Message(Message::Response(_))) => {}
                Some(Incoming::Broken(code, why)) => self.client.refuse(None, code, &why)?,
                Some(Incoming::Failed(error)) => return Err(error),
                None => return Ok(self.ending()),
            }
        }
    }

    /// Does the most urgent piece of what is to be done without waiting.
    fn work(&mut self) -> Result<Work, ServeError> {
        if let Some(uri) = self.edited.pop_front() {
            if self.glance(&uri)? == Work::Done {
                self.unfinished.push_back(uri);
            } else {
                self.judge(&uri)?;
            }
            return Ok(Work::Done);
        }
        match self.unfinished.pop_front() {
            Some(uri) => self.judge(&uri).map(|()| Work::Done),
            None => Ok(Work::None),
        }
    }

    fn ending(&self) -> Ending {
        if self.stage == Stage::ShutDown { Ending::Asked } else { Ending::Abrupt }
    }

    fn request(&mut self, request: Request) -> Result<(), ServeError> {
        let Request { id, method, params } = request;
        let answer = match (self.stage, method.as_str()) {
            (Stage::Before, "initialize") => Ok(self.initialize(&params)),
            (Stage::Before, _) => {
                Err(Refused(ErrorCode::ServerNotInitialized, "initialize has to come first".into()))
            }
            (Stage::ShutDown, _) => Err(Refused(ErrorCode::InvalidRequest, "the server is shut down".into())),
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(Value::Null)
            }
            (Stage::Running, "textDocument/hover") => self.hover(params)?,
            (Stage::Running, "textDocument/codeAction") => self.code_action(params)?,
            (Stage::Running, "initialize") => {
                Err(Refused(ErrorCode::InvalidRequest, "the server is initialized".into()))
            }
            (Stage::Running, _) => {
                Err(Refused(ErrorCode::MethodNotFound, format!("there is no method {method}")))
            }
        };
        self.respond(&id, answer)
    }

    fn respond(&mut self, id: &RequestId, answer: Result<Value, Refused>) -> Result<(), ServeError> {
        match answer {
            Ok(result) => self.client.answer(id, result),
            Err(Refused(code, why)) => self.client.refuse(Some(id), code, &why),
        }
    }

    fn notification(&mut self, notification: Notification) -> Result<(), ServeError> {
        let Notification { method, params } = notification;
        if self.stage != Stage::Running {
            return Ok(());
        }
        match method.as_str() {
            "initialized" => self.ask_to_watch()?,
            "textDocument/didOpen" => {
                if let Some(opened) = read::<DidOpenTextDocumentParams>(params) {
                    self.open(opened);
                }
            }
            "textDocument/didChange" => {
                if let Some(changed) = read::<DidChangeTextDocumentParams>(params) {
                    self.change(changed);
                }
            }
            "textDocument/didClose" => {
                if let Some(closed) = read::<DidCloseTextDocumentParams>(params) {
                    self.close(&closed.text_document.uri)?;
                }
            }
            "textDocument/didSave" if self.talk.watches == Watches::No => self.look_again(),
            "workspace/didChangeWatchedFiles" | "workspace/didChangeConfiguration" => self.look_again(),
            "workspace/didChangeWorkspaceFolders" => {
                if let Some(change) = read::<DidChangeWorkspaceFoldersParams>(params) {
                    self.change_folders(&change);
                }
            }
            // The protocol lets a server ignore what it doesn't know.
            _ => {}
        }
        Ok(())
    }

    /// Capabilities are looked up by hand: one that a newer client spells in a new way must not
    /// spoil the others.
    fn initialize(&mut self, params: &Value) -> Value {
        let lists = |path: &str, word: &str| {
            let list = params.pointer(path).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|one| one == word))
        };
        if lists("/capabilities/general/positionEncodings", "utf-8") {
            self.talk.encoding = Encoding::Utf8;
        }
        if lists("/capabilities/textDocument/hover/contentFormat", "markdown") {
            self.talk.markup = Markup::Markdown;
        }
        let dynamic = "/capabilities/workspace/didChangeWatchedFiles/dynamicRegistration";
        if params.pointer(dynamic).and_then(Value::as_bool) == Some(true) {
            self.talk.watches = Watches::Yes;
        }
        let folders = params.pointer("/workspaceFolders").and_then(Value::as_array);
        let folders = folders.into_iter().flatten().filter_map(|folder| folder.pointer("/uri")?.as_str());
        self.folders = folders.filter_map(path_of).collect();
        if self.folders.is_empty() {
            let root = params.pointer("/rootUri").and_then(Value::as_str);
            self.folders.extend(root.and_then(path_of));
        }
        self.judge.set_folders(self.folders.clone());
        self.stage = Stage::Running;
        let result = InitializeResult {
            capabilities: capabilities(self.talk.encoding),
            server_info: Some(ServerInfo {
                name: "plimsoll".into(),
                version: Some(env!("CARGO_PKG_VERSION").into()),
            }),
        };
        serde_json::to_value(result).unwrap_or_default()
    }

    fn ask_to_watch(&mut self) -> Result<(), ServeError> {
        if self.talk.watches == Watches::No {
            return Ok(());
        }
        let watchers =
            vec![FileSystemWatcher { glob_pattern: GlobPattern::Pattern(WATCHED.into()), kind: None }];
        let options = DidChangeWatchedFilesRegistrationOptions { watchers };
        let registration = Registration {
            id: "plimsoll-files".into(),
            method: "workspace/didChangeWatchedFiles".into(),
            register_options: serde_json::to_value(options).ok(),
        };
        self.client
            .request("client/registerCapability", RegistrationParams { registrations: vec![registration] })
    }

    fn open(&mut self, opened: DidOpenTextDocumentParams) {
        if self.talk.watches == Watches::No {
            self.look_again();
        }
        let item = opened.text_document;
        let document = Document::new(item.uri, item.version, item.text, self.talk.encoding);
        let uri = document.uri.0.clone();
        let complaint = String::new();
        let open = Open { document, judged: None, effects: None, published: None, complaint };
        self.documents.insert(uri.clone(), open);
        self.changed(&uri);
    }

    fn change(&mut self, changed: DidChangeTextDocumentParams) {
        let uri = changed.text_document.text_document_identifier.uri.0;
        // A client that edits what it hasn't opened is wrong, and nothing can be made of it.
        let Some(open) = self.documents.get_mut(&uri) else { return };
        open.document.version = changed.text_document.version;
        open.document.edit(changed.content_changes);
        self.changed(&uri);
    }

    fn close(&mut self, uri: &Uri) -> Result<(), ServeError> {
        let Some(Open { document, .. }) = self.documents.remove(&uri.0) else { return Ok(()) };
        self.forget_work(&uri.0);
        if let Some(path) = &document.path {
            self.judge.set_text(path, None);
        }
        self.judge_all();
        self.client.notify("textDocument/publishDiagnostics", diagnostics(&document, None))
    }

    fn change_folders(&mut self, change: &DidChangeWorkspaceFoldersParams) {
        let removed: Vec<PathBuf> =
            change.event.removed.iter().filter_map(|folder| path_of(&folder.uri.0)).collect();
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(change.event.added.iter().filter_map(|folder| path_of(&folder.uri.0)));
        self.judge.set_folders(self.folders.clone());
        self.look_again();
    }

    /// Takes note that a document has a new text, which the others may build on.
    fn changed(&mut self, uri: &str) {
        if let Some(Open { document, .. }) = self.documents.get(uri)
            && let Some(path) = &document.path
        {
            self.judge.set_text(path, Some(document.sql()));
        }
        self.judge_all();
        self.forget_work(uri);
        self.edited.push_back(uri.to_owned());
    }

    /// Takes note that files changed on disk.
    fn look_again(&mut self) {
        self.judge.forget();
        self.judge_all();
    }

    fn judge_all(&mut self) {
        let queues = [&self.edited, &self.unfinished, &self.affected];
        let is_missing = |uri: &&String| !queues.iter().any(|queue| queue.contains(uri));
        let missing: Vec<String> = self.documents.keys().filter(is_missing).cloned().collect();
        self.affected.extend(missing);
    }

    /// Takes a document out of what is to be done, if it is there.
    fn forget_work(&mut self, uri: &str) -> Work {
        let mut work = Work::None;
        for queue in [&mut self.edited, &mut self.unfinished, &mut self.affected] {
            queue.retain(|waiting| {
                let is_other = waiting != uri;
                work = if is_other { work } else { Work::Done };
                is_other
            });
        }
        work
    }

    /// Tells the client what is found in a document at a glance, if that can be done.
    fn glance(&mut self, uri: &str) -> Result<Work, ServeError> {
        let Some(open) = self.documents.get_mut(uri).filter(|open| open.judged.is_some()) else {
            return Ok(Work::None);
        };
        let document = &open.document;
        let glance = AssertUnwindSafe(|| self.judge.glance(document.path.as_deref(), document.sql()));
        // What goes wrong here is told by judging it all.
        let Ok(Some(judged)) = catch_unwind(glance) else { return Ok(Work::None) };
        let _before = open.judged.replace(judged);
        open.effects = None;
        self.publish(uri).map(|()| Work::Done)
    }

    fn publish(&mut self, uri: &str) -> Result<(), ServeError> {
        let Some(open) = self.documents.get_mut(uri) else { return Ok(()) };
        let published = diagnostics(&open.document, open.judged.as_ref());
        if open.published.as_ref() == Some(&published) {
            return Ok(());
        }
        self.client.notify("textDocument/publishDiagnostics", &published)?;
        open.published = Some(published);
        Ok(())
    }

    /// Judges a document and tells the client what was found.
    fn judge(&mut self, uri: &str) -> Result<(), ServeError> {
        let Some(open) = self.documents.get_mut(uri) else { return Ok(()) };
        let document = &open.document;
        let judge = AssertUnwindSafe(|| self.judge.judge(document.path.as_deref(), document.sql()));
        let (judged, complaint) = match catch_unwind(judge) {
            Ok(Ok(judged)) => (judged, String::new()),
            Ok(Err(why)) => (None, format!("Plimsoll failed to {why}")),
            Err(_) => {
                // Half a statement must not end a session; what is kept between texts may be half done.
                self.judge.forget();
                (None, "Plimsoll failed to judge this text: a defect, please report it".to_owned())
            }
        };
        // Let go of when the client has its answer.
        let _before = std::mem::replace(&mut open.judged, judged);
        open.effects = None;
        self.publish(uri)?;
        let known = complaint.is_empty() || self.documents.values().any(|open| open.complaint == complaint);
        self.documents.entry(uri.to_owned()).and_modify(|open| open.complaint.clone_from(&complaint));
        match known {
            true => Ok(()),
            false => {
                let told = ShowMessageParams { kind: MessageType::Error, message: complaint };
                self.client.notify("window/showMessage", told)
            }
        }
    }

    /// The document, judged as it is now.
    fn up_to_date(&mut self, uri: &Uri) -> Result<Option<&mut Open>, ServeError> {
        if self.forget_work(&uri.0) == Work::Done {
            self.judge(&uri.0)?;
        }
        Ok(self.documents.get_mut(&uri.0))
    }

    fn hover(&mut self, params: Value) -> Result<Result<Value, Refused>, ServeError> {
        let params = match read_request::<HoverParams>(params) {
            Ok(params) => params.text_document_position_params,
            Err(refused) => return Ok(Err(refused)),
        };
        let markup = self.talk.markup;
        let Some(open) = self.up_to_date(&params.text_document.uri)? else { return Ok(Ok(Value::Null)) };
        let Some(judged) = &open.judged else { return Ok(Ok(Value::Null)) };
        let effects = open.effects.get_or_insert_with(|| judged.effects());
        let offset = open.document.offset(params.position);
        let hover = about(&judged.migration, effects, offset, markup).map(|about| {
            let kind = match markup {
                Markup::Markdown => MarkupKind::Markdown,
                Markup::Plain => MarkupKind::PlainText,
            };
            Hover {
                contents: MarkupContent { kind, value: about.text }.into(),
                range: Some(open.document.range(&about.bytes)),
            }
        });
        Ok(Ok(json!(hover)))
    }

    fn code_action(&mut self, params: Value) -> Result<Result<Value, Refused>, ServeError> {
        let params = match read_request::<CodeActionParams>(params) {
            Ok(params) => params,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(open) = self.up_to_date(&params.text_document.uri)? else { return Ok(Ok(json!([]))) };
        let Some(judged) = &open.judged else { return Ok(Ok(json!([]))) };
        let bytes = open.document.offset(params.range.start)..open.document.offset(params.range.end);
        Ok(Ok(json!(actions(&open.document, judged, &bytes, &params.context))))
    }
}

fn read<P: DeserializeOwned>(params: Value) -> Option<P> {
    // Nobody waits for an answer to a notification, so that nobody can be told.
    serde_json::from_value(params).ok()
}

fn read_request<P: DeserializeOwned>(params: Value) -> Result<P, Refused> {
    serde_json::from_value(params).map_err(|error| Refused(ErrorCode::InvalidParams, error.to_string()))
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::Incremental),
                save: Some(SaveOptions { include_text: Some(false) }.into()),
                ..TextDocumentSyncOptions::default()
            }
            .into(),
        ),
        hover_provider: Some(true.into()),
        code_action_provider: Some(
            CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QuickFix]),
                ..CodeActionOptions::default()
            }
            .into(),
        ),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(true.into()),
            }),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

#[cfg(test)]
mod tests;
