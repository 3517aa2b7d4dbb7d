//! plimsoll_report
