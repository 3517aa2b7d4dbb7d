//! Temporary files as the server counted them, autovacuum's figures, checkpoints, archiving, settings, a crash and the end.

use plimsoll_logs::message::automatic::Work;
use plimsoll_logs::message::checkpoint::CheckpointFigures;
use plimsoll_logs::message::life::Parameter;
use plimsoll_logs::message::{AutomaticWork, Checkpoint, Event, Life, Replication};

use crate::Understood;
use crate::doings::Doings;

pub(crate) fn check(doings: &Doings, understood: &Understood<'_>) {
    let work = &doings.work;
    let files = understood.kind(|event| match event {
        Event::TemporaryFile(file) => Some(file),
        _ => None,
    });
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    assert_eq!((files.len() as u64, bytes), (work.temporary_files, work.temporary_bytes));
    assert!(files.iter().all(|file| file.path.starts_with("base/pgsql_tmp/")), "{files:?}");
    automatic(doings, understood);
    checkpoints(doings, understood);
    archiving(understood);
    life(doings, understood);
}

fn automatic(doings: &Doings, understood: &Understood<'_>) {
    let of_dirty: Vec<AutomaticWork<'_>> = understood.kind(|event| match event {
        Event::AutomaticWork(work) if work.table == "dirty" => Some(work),
        _ => None,
    });
    assert!(of_dirty.iter().all(|work| (work.database, work.schema) == ("postgres", "public")));
    let of = |kind| of_dirty.iter().filter(move |work| work.work == kind);
    assert_eq!(of(Work::Vacuum).count() as u64, doings.work.vacuums);
    assert_eq!(of(Work::Analyze).count() as u64, doings.work.analyzes);
    let removed: u64 = of(Work::Vacuum).filter_map(|work| work.figures().tuples_removed).sum();
    assert_eq!(removed, doings.work.deleted);
    for work in of(Work::Vacuum) {
        let figures = work.figures();
        let told = [
            figures.index_scans,
            figures.pages_removed,
            figures.pages_remain,
            figures.pages_scanned,
            figures.tuples_remain,
            figures.tuples_dead,
            figures.cutoff_age,
            figures.buffer_hits,
            figures.buffer_reads,
            figures.buffers_dirtied,
            figures.read_rate_kb_s,
            figures.write_rate_kb_s,
            figures.read_us,
            figures.write_us,
            figures.wal_records,
            figures.wal_page_images,
            figures.wal_bytes,
            figures.cpu_user_us,
            figures.cpu_system_us,
            figures.elapsed_us,
        ];
        assert!(told.iter().all(Option::is_some), "{told:?}: {}", work.text);
        assert!(
            figures.buffer_hits > Some(0) && figures.pages_scanned > Some(0) && figures.wal_records > Some(0)
        );
        assert_eq!(figures.tuples_frozen.is_some(), doings.major >= 16, "{}", work.text);
    }
    for work in of(Work::Analyze) {
        let figures = work.figures();
        let told = [figures.buffer_hits, figures.buffer_reads, figures.read_rate_kb_s, figures.elapsed_us];
        assert!(told.iter().all(Option::is_some), "{told:?}: {}", work.text);
    }
}

fn checkpoints(doings: &Doings, understood: &Understood<'_>) {
    let asked = understood.kind(|event| match event {
        Event::Checkpoint(Checkpoint::Starting { is_restartpoint: false, flags }) => {
            (flags == "immediate force wait" || flags == "fast force wait").then_some(flags)
        }
        _ => None,
    });
    assert_eq!(asked.len() as u64, doings.work.checkpoints);
    let figures: Vec<CheckpointFigures<'_>> = understood.kind(|event| match event {
        Event::Checkpoint(Checkpoint::Complete(complete)) => Some(complete.figures()),
        _ => None,
    });
    assert!(figures.len() >= asked.len());
    for one in figures {
        let told = [
            one.buffers,
            one.buffers_percent_thousandths,
            one.wal_added,
            one.wal_removed,
            one.wal_recycled,
            one.write_us,
            one.sync_us,
            one.total_us,
            one.sync_files,
            one.longest_sync_us,
            one.average_sync_us,
            one.distance_kb,
            one.estimate_kb,
        ];
        assert!(told.iter().all(Option::is_some), "{one:?}");
        let is_told = doings.major >= 16;
        assert_eq!((one.lsn.is_some(), one.redo_lsn.is_some()), (is_told, is_told), "{one:?}");
        assert_eq!(one.slru_buffers.is_some(), doings.major >= 18, "{one:?}");
    }
}

fn archiving(understood: &Understood<'_>) {
    let told = understood.kind(|event| match event {
        Event::Replication(told) => Some(told),
        _ => None,
    });
    let failed = Replication::ArchiveFailed { exit_code: Some(3), signal: None, command: "exit 3" };
    assert!(told.iter().filter(|one| **one == failed).count() >= 3, "{told:?}");
    assert!(
        told.iter().any(|one| matches!(one, Replication::ArchiveGaveUp { file } if file.len() == 24)),
        "{told:?}"
    );
}

fn life(doings: &Doings, understood: &Understood<'_>) {
    let life = understood.kind(|event| match event {
        Event::Life(life) => Some(life),
        _ => None,
    });
    let count = |is: &dyn Fn(&Life<'_>) -> bool| life.iter().filter(|one| is(one)).count();
    let version = format!("PostgreSQL {}", doings.major);
    assert_eq!(
        count(&|one| matches!(one, Life::Starting { version: told } if told.starts_with(&version))),
        1
    );
    assert_eq!(count(&|one| matches!(one, Life::Ready { is_read_only: false })), 2);
    assert_eq!(count(&|one| *one == Life::Reloading), 2);
    let parameter = |parameter| count(&|one| *one == Life::Parameter(parameter));
    assert_eq!(parameter(Parameter::Changed { name: "work_mem", value: "5MB" }), 1);
    assert_eq!(parameter(Parameter::Changed { name: "archive_command", value: "true" }), 1);
    assert!(parameter(Parameter::NeedsRestart { name: "max_connections" }) >= 1);
    let (process, running) = doings.work.killed.expect("a killed process");
    let killed = count(&|one| match one {
        Life::ProcessDied(died) => {
            died.process == process && died.signal == Some(9) && died.running == running
        }
        _ => false,
    });
    assert_eq!(killed, 1, "{life:?}");
    let once = [
        Life::EndingOthers,
        Life::StartingAnew,
        Life::EndingSessions,
        Life::ShuttingDown,
        Life::ShutDown { is_abnormal: false },
    ];
    for one in once {
        assert_eq!(count(&|told| *told == one), 1, "{one:?}");
    }
    assert_eq!(count(&|one| *one == Life::ShutdownRequested { mode: "fast" }), 1);
    assert!(count(&|one| matches!(one, Life::RedoStarts { .. })) <= 1);
    assert_eq!(count(&|one| matches!(one, Life::LastRun(_))), 3, "start, crash and its recovery: {life:?}");
}
