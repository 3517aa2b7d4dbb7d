CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    -- Seconds since 1970, UTC.
    at_s INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('check', 'regress')),
    plimsoll TEXT NOT NULL,
    server TEXT NOT NULL
) STRICT;

CREATE TABLE claims (
    run INTEGER NOT NULL REFERENCES runs,
    -- The same in repeated runs: rule, statement, relation.
    finding TEXT NOT NULL,
    file TEXT NOT NULL,
    rule TEXT NOT NULL,
    -- Fingerprint of the statement's text without literals.
    statement TEXT NOT NULL,
    relation TEXT,
    verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'refuted', 'missed', 'untested')),
    PRIMARY KEY (finding, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_statement ON claims (statement, verdict, run);

-- A query before and after one change: what people judge.
CREATE TABLE comparisons (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    query TEXT NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE measurements (
    comparison TEXT NOT NULL REFERENCES comparisons,
    run INTEGER NOT NULL REFERENCES runs,
    score REAL NOT NULL,
    threshold REAL NOT NULL,
    alarmed INTEGER NOT NULL CHECK (alarmed IN (0, 1)),
    PRIMARY KEY (comparison, run)
) STRICT, WITHOUT ROWID;

-- All that was said; the last counts.
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    comparison TEXT NOT NULL REFERENCES comparisons,
    judgement TEXT NOT NULL CHECK (judgement IN ('confirmed', 'dismissed')),
    at_s INTEGER NOT NULL,
    note TEXT
) STRICT;

CREATE INDEX labels_by_comparison ON labels (comparison, id);
