//! What a lock is on, as `DescribeLockTag` writes it in lock waits and in deadlocks.

use super::reading::small_number;

/// What a lock is on. Numbers are OIDs unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockObject<'a> {
    /// A table, an index or the like.
    Relation {
        /// The relation.
        relation: u32,
        /// Its database.
        database: u32,
    },
    /// The right to add pages to a relation.
    Extension {
        /// The relation.
        relation: u32,
        /// Its database.
        database: u32,
    },
    /// The right to freeze ids of a database.
    FrozenIds {
        /// The database.
        database: u32,
    },
    /// A page of a relation.
    Page {
        /// The page's number.
        page: u32,
        /// The relation.
        relation: u32,
        /// Its database.
        database: u32,
    },
    /// A row's version.
    Tuple {
        /// The page's number.
        page: u32,
        /// The place in the page.
        offset: u32,
        /// The relation.
        relation: u32,
        /// Its database.
        database: u32,
    },
    /// A transaction's end.
    Transaction {
        /// The transaction.
        transaction: u32,
    },
    /// A virtual transaction's end, as `CREATE INDEX CONCURRENTLY` waits for.
    VirtualTransaction {
        /// Its backend, `/`, its number.
        id: &'a str,
    },
    /// The outcome of an insertion that may be taken back (`ON CONFLICT`).
    SpeculativeToken {
        /// The transaction.
        transaction: u32,
    },
    /// Something of a catalogue.
    Object {
        /// The object.
        object: u32,
        /// Its catalogue.
        class: u32,
        /// Its database.
        database: u32,
    },
    /// An advisory lock.
    Advisory {
        /// The database, the key's two halves, and 1 for a key of 64 bits or 2 for two keys; as told, with commas.
        key: &'a str,
    },
    /// A transaction that a subscription applies, since 15.
    RemoteTransaction {
        /// The publisher's transaction.
        transaction: u32,
        /// The subscription.
        subscription: u32,
        /// Its database.
        database: u32,
    },
    /// Words that aren't known.
    Unknown {
        /// Them.
        text: &'a str,
    },
}

impl<'a> LockObject<'a> {
    /// Reads the server's words.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        known(text).unwrap_or(Self::Unknown { text })
    }
}

fn known(text: &str) -> Option<LockObject<'_>> {
    match text.as_bytes().first()? {
        b't' => tuple_or_transaction(text),
        b'r' => relation(text),
        b'e' => {
            let (relation, database) = relation_of(text.strip_prefix("extension of ")?)?;
            Some(LockObject::Extension { relation, database })
        }
        b'v' => Some(LockObject::VirtualTransaction { id: text.strip_prefix("virtual transaction ")? }),
        b'a' => Some(LockObject::Advisory { key: bracketed(text.strip_prefix("advisory lock [")?)? }),
        b'p' => page_or_frozen(text),
        b'o' => object(text),
        b's' => {
            let [_, transaction] = numbers(text, ["speculative token ", " of transaction "])?;
            Some(LockObject::SpeculativeToken { transaction })
        }
        _ => None,
    }
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_suffix(']')
}

fn tuple_or_transaction(text: &str) -> Option<LockObject<'_>> {
    if let Some([transaction]) = numbers(text, ["transaction "]) {
        return Some(LockObject::Transaction { transaction });
    }
    let [page, offset, relation, database] =
        numbers(text, ["tuple (", ",", ") of relation ", " of database "])?;
    Some(LockObject::Tuple { page, offset, relation, database })
}

fn relation(text: &str) -> Option<LockObject<'_>> {
    if let Some((relation, database)) = relation_of(text) {
        return Some(LockObject::Relation { relation, database });
    }
    let [transaction, subscription, database] =
        numbers(text, ["remote transaction ", " of subscription ", " of database "])?;
    Some(LockObject::RemoteTransaction { transaction, subscription, database })
}

fn relation_of(text: &str) -> Option<(u32, u32)> {
    numbers(text, ["relation ", " of database "]).map(|[relation, database]| (relation, database))
}

fn page_or_frozen(text: &str) -> Option<LockObject<'_>> {
    if let Some([database]) = numbers(text, ["pg_database.datfrozenxid of database "]) {
        return Some(LockObject::FrozenIds { database });
    }
    let [page, relation, database] = numbers(text, ["page ", " of relation ", " of database "])?;
    Some(LockObject::Page { page, relation, database })
}

fn object(text: &str) -> Option<LockObject<'_>> {
    let [object, class, database] = numbers(text, ["object ", " of class ", " of database "])?;
    Some(LockObject::Object { object, class, database })
}

/// The number behind each of these phrases, if the text is made of nothing else.
fn numbers<const COUNT: usize>(text: &str, phrases: [&str; COUNT]) -> Option<[u32; COUNT]> {
    let mut rest = text;
    let mut found = [0; COUNT];
    for (phrase, place) in phrases.iter().zip(&mut found) {
        (*place, rest) = small_number(rest.strip_prefix(phrase)?)?;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_lock_is_known() {
        use LockObject::*;
        for (text, expected) in [
            ("relation 16384 of database 5", Relation { relation: 16384, database: 5 }),
            ("extension of relation 16384 of database 5", Extension { relation: 16384, database: 5 }),
            ("pg_database.datfrozenxid of database 5", FrozenIds { database: 5 }),
            ("page 7 of relation 16384 of database 5", Page { page: 7, relation: 16384, database: 5 }),
            (
                "tuple (0,12) of relation 16384 of database 5",
                Tuple { page: 0, offset: 12, relation: 16384, database: 5 },
            ),
            ("transaction 742", Transaction { transaction: 742 }),
            ("virtual transaction 3/17", VirtualTransaction { id: "3/17" }),
            ("speculative token 1 of transaction 742", SpeculativeToken { transaction: 742 }),
            ("object 1 of class 2615 of database 5", Object { object: 1, class: 2615, database: 5 }),
            ("advisory lock [5,0,42,1]", Advisory { key: "5,0,42,1" }),
            (
                "remote transaction 9 of subscription 8 of database 7",
                RemoteTransaction { transaction: 9, subscription: 8, database: 7 },
            ),
            ("user lock [1,2,3]", Unknown { text: "user lock [1,2,3]" }),
            ("relation 1 of database 5x", Unknown { text: "relation 1 of database 5x" }),
            ("tuple (1", Unknown { text: "tuple (1" }),
            ("", Unknown { text: "" }),
        ] {
            assert_eq!(LockObject::of(text), expected, "{text}");
        }
    }
}
