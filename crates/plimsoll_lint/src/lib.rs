//! plimsoll_lint
