//! A domain's check that is added unchecked, and checked under a weaker lock.

use plimsoll_sql::Command;
use plimsoll_sql::command::DomainAction;
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::Step;
use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};

pub(super) fn add_constraint(site: &Site) -> Result<Mended, Refusal> {
    let Command::AlterDomain { name, action: DomainAction::AddConstraint(constraint) } = site.command else {
        return because(
            "ALTER DOMAIN … SET NOT NULL has no form that leaves the tables alone: add a CHECK NOT VALID to the domain",
        );
    };
    let made = || made_name(site.schema, name, "", "check", Of::Constraint);
    let quoted = quote_identifier(&constraint.name.clone().unwrap_or_else(made));
    let written = &site.sql[constraint.range.clone()];
    let definition = match constraint.name {
        Some(_) => written.to_owned(),
        None => format!("CONSTRAINT {quoted} {written}"),
    };
    let head = format!("ALTER DOMAIN {}", quote_name(name));
    let mended = Mended::new(
        "adds the domain's check NOT VALID, then validates it",
        vec![
            Step::along(format!("{head} ADD {definition} NOT VALID")),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {quoted}")),
        ],
    );
    Ok(mended)
}
