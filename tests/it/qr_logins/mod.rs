//! QR logins over several processes.

mod histories;
