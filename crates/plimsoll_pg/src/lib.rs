//! plimsoll_pg
