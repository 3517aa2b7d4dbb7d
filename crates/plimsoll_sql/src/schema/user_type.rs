//! User-defined types: domains, enums, and all others by name.

use crate::command::{ConstraintKind, CreateDomain, DomainAction, TypeAction};
use crate::data_type::DataType;

/// A user-defined type.
#[derive(Clone, Debug)]
pub enum UserType {
    /// A domain.
    Domain(Domain),
    /// An enum, with its values.
    Enum(Vec<String>),
    /// A composite, range or base type.
    Other,
}

/// A domain.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    /// The type that it stands on.
    pub base: Option<DataType>,
    /// Names of its constraints with whether they are validated; none for an unnamed one.
    pub checks: Vec<(Option<String>, bool)>,
    /// Whether it is `NOT NULL`.
    pub not_null: bool,
}

impl Domain {
    /// Whether values must be looked at before they are stored.
    #[must_use]
    pub fn is_constrained(&self) -> bool {
        self.not_null || !self.checks.is_empty()
    }

    pub(super) fn new(definition: &CreateDomain) -> Self {
        let mut domain = Self { base: definition.base.clone(), ..Self::default() };
        for constraint in &definition.constraints {
            match constraint.kind {
                ConstraintKind::NotNull { .. } => domain.not_null = true,
                _ => domain.checks.push((constraint.name.clone(), true)),
            }
        }
        domain
    }

    pub(super) fn alter(&mut self, action: &DomainAction) {
        match action {
            DomainAction::AddConstraint(constraint) => match constraint.kind {
                ConstraintKind::NotNull { .. } => self.not_null = true,
                _ => self.checks.push((constraint.name.clone(), !constraint.not_valid)),
            },
            DomainAction::DropConstraint(name) => {
                // An unnamed constraint has a name that PostgreSQL made up.
                let at = self.checks.iter().position(|(known, _)| known.as_ref() == Some(name));
                if let Some(at) = at.or_else(|| self.checks.iter().position(|(known, _)| known.is_none())) {
                    self.checks.remove(at);
                }
            }
            DomainAction::SetNotNull => self.not_null = true,
            DomainAction::DropNotNull => self.not_null = false,
            _ => {}
        }
    }
}

impl UserType {
    pub(super) fn alter(&mut self, action: &TypeAction) {
        let Self::Enum(values) = self else { return };
        match action {
            TypeAction::AddValue { value, .. } if !values.contains(value) => values.push(value.clone()),
            TypeAction::RenameValue { from, to } => {
                values.iter_mut().filter(|value| *value == from).for_each(|value| value.clone_from(to));
            }
            _ => {}
        }
    }
}
