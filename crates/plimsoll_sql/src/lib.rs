//! plimsoll_sql
