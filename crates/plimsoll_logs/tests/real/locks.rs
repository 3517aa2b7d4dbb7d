//! Each wait is told with who waits, for whom, on what and for how long.

use plimsoll_logs::message::lock_wait::WaitState;
use plimsoll_logs::message::{Event, LockObject, LockWait};

use crate::Understood;
use crate::doings::Doings;

fn waits<'a>(understood: &Understood<'a>, application: &str) -> Vec<LockWait<'a>> {
    let all = understood.of(application).filter_map(|event| match event {
        Event::LockWait(wait) => Some(wait),
        _ => None,
    });
    all.collect()
}

#[track_caller]
fn check_states(waits: &[LockWait<'_>], (process, holder): (u32, u32), mode: &str, states: &[WaitState]) {
    let told: Vec<_> = waits.iter().map(|wait| wait.state).collect();
    assert_eq!(told, states, "{waits:?}");
    for wait in waits {
        assert_eq!((wait.process, wait.mode), (process, mode));
    }
    let first = &waits[0];
    assert_eq!(first.holders.iter().collect::<Vec<_>>(), [holder], "{first:?}");
}

pub(crate) fn check(doings: &Doings, understood: &Understood<'_>) {
    let done = &doings.waits;
    let got = waits(understood, "waiter");
    check_states(&got, done.got, "AccessShareLock", &[WaitState::Waiting, WaitState::Acquired]);
    assert!(got.iter().all(|wait| is_on_ships(wait, done.ships)), "{got:?}");
    assert_eq!(got[0].queue.iter().collect::<Vec<_>>(), [done.got.0]);
    assert!(got[0].waited_us.unwrap() >= 100_000 && got[1].waited_us.unwrap() >= got[0].waited_us.unwrap());

    let row = waits(understood, "row_waiter");
    check_states(&row, done.row, "ShareLock", &[WaitState::Waiting, WaitState::Acquired]);
    for wait in &row {
        assert!(matches!(wait.object, LockObject::Transaction { .. }), "{wait:?}");
        assert_eq!(wait.relation, "ships");
        assert!(wait.doing.starts_with("while updating tuple ("), "{wait:?}");
    }
    let gave_up = waits(understood, "impatient");
    check_states(&gave_up, done.gave_up, "RowExclusiveLock", &[WaitState::Waiting]);
    assert!(gave_up.iter().all(|wait| is_on_ships(wait, done.ships)), "{gave_up:?}");
    if doings.major >= 18 {
        let hasty = waits(understood, "hasty");
        check_states(&hasty, done.hasty, "ShareLock", &[WaitState::Refused]);
        assert_eq!(hasty[0].waited_us, None);
    }
    deadlock(doings, understood);
}

fn is_on_ships(wait: &LockWait<'_>, ships: u32) -> bool {
    matches!(wait.object, LockObject::Relation { relation, .. } if relation == ships)
}

fn deadlock(doings: &Doings, understood: &Understood<'_>) {
    let done = &doings.waits;
    let deadlocks = understood.kind(|event| match event {
        Event::Deadlock(deadlock) => Some(deadlock),
        _ => None,
    });
    let [deadlock] = deadlocks[..] else { panic!("{deadlocks:?}") };
    let mut edges: Vec<_> = deadlock.edges().map(|edge| (edge.process, edge.blocked_by)).collect();
    edges.sort_unstable();
    let [first, second] = done.deadlocked;
    let mut expected = [(first, second), (second, first)];
    expected.sort_unstable();
    assert_eq!(edges, expected);
    for edge in deadlock.edges() {
        assert_eq!(edge.mode, "ShareLock");
        assert!(matches!(edge.object, LockObject::Transaction { .. }), "{edge:?}");
    }
    let mut queries: Vec<_> = deadlock.queries().collect();
    queries.sort_unstable();
    let mut expected = [(first, done.deadlocked_queries[0]), (second, done.deadlocked_queries[1])];
    expected.sort_unstable();
    assert_eq!(queries, expected);
    let states: Vec<_> = ["first", "second"].into_iter().flat_map(|one| waits(understood, one)).collect();
    let told = states.iter().filter(|wait| wait.state == WaitState::Deadlocked).count();
    assert_eq!(told, 1, "{states:?}");
}
