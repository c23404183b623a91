//! The built program as a process of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A daemon; killed when it is dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts `harmattan run`; its log goes to the test's own stderr only when it is to be read there.
    pub(crate) fn run(config: &Path) -> Self {
        Self::among(config, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn among(config: &Path, variables: &[(&str, &OsStr)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_harmattan"))
            .arg("-c")
            .arg(config)
            .arg("run")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL: it has no chance to do anything.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGHUP.
    pub(crate) fn reload(&self) {
        let told = Command::new("kill").args(["-HUP", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// The most memory it has held so far, in KiB.
    pub(crate) fn memory_peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// SIGTERM, and its exit status.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let told = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(told.success());
        self.0.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
