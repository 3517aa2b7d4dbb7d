//! Names and nodes in memory: all that was changed, and of the unchanged what the kernel holds on to.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::file::CowFile;
use crate::journal::{Change, Content, Kind, Record};

/// The number of the root folder, in FUSE too.
pub(crate) const ROOT: u64 = 1;

/// What a folder's name leads to, where that isn't simply what the lower folder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing, though the lower folder has the name.
    Hidden,
    /// A node that the journal knows.
    Linked(u64),
    /// A node of the lower folder, unchanged, that the kernel asked for.
    Known(u64),
}

impl Slot {
    pub(crate) fn node(self) -> Option<u64> {
        match self {
            Self::Hidden => None,
            Self::Linked(node) | Self::Known(node) => Some(node),
        }
    }
}

/// A file, folder, link.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) record: Record,
    /// Whether the journal has the record.
    pub(crate) journaled: bool,
    /// All names that lead here.
    pub(crate) places: Vec<(u64, OsString)>,
    pub(crate) slots: HashMap<OsString, Slot>,
    /// How often the kernel was given this node and hasn't forgotten it yet.
    pub(crate) lookups: AtomicU64,
    pub(crate) file: OnceLock<Arc<CowFile>>,
}

impl Node {
    fn new(record: Record) -> Self {
        Self {
            record,
            journaled: false,
            places: Vec::new(),
            slots: HashMap::new(),
            lookups: AtomicU64::new(0),
            file: OnceLock::new(),
        }
    }

    pub(crate) fn looked_up(&self) -> bool {
        self.lookups.load(Ordering::Relaxed) > 0
    }
}

/// All nodes.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: HashMap<u64, Node>,
    next: u64,
}

impl Tree {
    /// Only the root, with all that the lower folder has.
    pub(crate) fn new(root_mode: u32) -> Self {
        let root = Record {
            kind: Kind::Folder,
            content: Content::Lower,
            mode: root_mode,
            owner: None,
            modified: None,
            origin: Some(PathBuf::new()),
            target: None,
        };
        let mut root = Node::new(root);
        root.journaled = true;
        Self { nodes: HashMap::from([(ROOT, root)]), next: ROOT + 1 }
    }

    pub(crate) fn get(&self, node: u64) -> Option<&Node> {
        self.nodes.get(&node)
    }

    pub(crate) fn get_mut(&mut self, node: u64) -> Option<&mut Node> {
        self.nodes.get_mut(&node)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Node)> {
        self.nodes.iter().map(|(number, node)| (*number, node))
    }

    /// A number that no node ever had in this mount.
    pub(crate) fn next_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Takes a node of the lower folder in.
    pub(crate) fn know(&mut self, parent: u64, name: &OsStr, record: Record) -> u64 {
        let number = self.next_number();
        let mut node = Node::new(record);
        node.places.push((parent, name.to_owned()));
        self.nodes.insert(number, node);
        if let Some(parent) = self.nodes.get_mut(&parent) {
            parent.slots.insert(name.to_owned(), Slot::Known(number));
        }
        number
    }

    /// Does what a change says. A change of a damaged journal that makes no sense is left out.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Node(number, record) => {
                self.next = self.next.max(number.saturating_add(1));
                match self.nodes.get_mut(&number) {
                    Some(node) => {
                        node.record = record;
                        node.journaled = true;
                    }
                    None => {
                        let mut node = Node::new(record);
                        node.journaled = true;
                        self.nodes.insert(number, node);
                    }
                }
            }
            Change::Link { parent, name, node } => {
                if self.nodes.contains_key(&node) && self.nodes.contains_key(&parent) {
                    self.fill(parent, name.clone(), Some(Slot::Linked(node)));
                    if let Some(linked) = self.nodes.get_mut(&node) {
                        linked.places.push((parent, name));
                    }
                }
            }
            Change::Hide { parent, name } => self.fill(parent, name, Some(Slot::Hidden)),
            Change::Remove { parent, name } => self.fill(parent, name, None),
            Change::Lost(_) => {}
        }
    }

    fn fill(&mut self, parent: u64, name: OsString, slot: Option<Slot>) {
        let Some(folder) = self.nodes.get_mut(&parent) else { return };
        let before = match slot {
            Some(slot) => folder.slots.insert(name.clone(), slot),
            None => folder.slots.remove(&name),
        };
        if let Some(node) = before.and_then(Slot::node).and_then(|node| self.nodes.get_mut(&node)) {
            node.places.retain(|(at, called)| (*at, called) != (parent, &name));
        }
    }

    /// The changes after which an empty tree has what this one has. Nodes without a name are left out.
    pub(crate) fn as_changes(&self) -> Vec<Change> {
        let mut nodes: Vec<(u64, &Node)> = self
            .iter()
            .filter(|(number, node)| node.journaled && (*number == ROOT || !node.places.is_empty()))
            .collect();
        nodes.sort_by_key(|(number, _)| *number);
        let mut changes: Vec<Change> =
            nodes.iter().map(|(number, node)| Change::Node(*number, node.record.clone())).collect();
        for (parent, node) in nodes {
            let mut slots: Vec<(&OsString, &Slot)> = node.slots.iter().collect();
            slots.sort_by_key(|(name, _)| *name);
            changes.extend(slots.into_iter().filter_map(|(name, slot)| match *slot {
                Slot::Hidden => Some(Change::Hide { parent, name: name.clone() }),
                Slot::Linked(node) => Some(Change::Link { parent, name: name.clone(), node }),
                Slot::Known(_) => None,
            }));
        }
        changes
    }

    /// Drops a node that nobody can reach any more, and returns whether it had a file in the delta. An unchanged node goes
    /// with the kernel's last reference, and its parents that were kept for it.
    pub(crate) fn drop_unreachable(&mut self, number: u64) -> bool {
        let Some(node) = self.nodes.get_mut(&number) else { return false };
        if number == ROOT || node.looked_up() {
            return false;
        }
        if !node.journaled && !node.slots.is_empty() {
            return false;
        }
        if node.journaled && !node.places.is_empty() {
            // The name stays; its open files needn't.
            node.file = OnceLock::new();
            return false;
        }
        let Some(node) = self.nodes.remove(&number) else { return false };
        for (parent, name) in node.places {
            if let Some(folder) = self.nodes.get_mut(&parent) {
                folder.slots.remove(&name);
                self.drop_unreachable(parent);
            }
        }
        node.record.content != Content::Lower
    }
}
