//! Reads the tables that stand once: store, desk, http, schedule, alerts, log, control.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::environment::Environment;
use super::read::Section;
use super::settings::{
    AlertSettings, ControlSettings, DeskSettings, HeartbeatSettings, HttpSettings, LogFormat, LogSettings,
    ScheduleSettings, StoreSettings,
};
use super::value::duration_text;

/// What `check` calls polite.
const INTERVAL_POLITE: Duration = Duration::from_mins(1);
/// Longest path of a Unix socket on Linux, less the closing zero (unix(7), `sun_path`).
const SOCKET_BYTES_MAX: usize = 107;

/// Whether the main file lies under `/etc`, by the path that it is known by or by where a link leads.
pub(super) fn is_installed(main: &Path) -> bool {
    main.starts_with("/etc") || main.canonicalize().is_ok_and(|real| real.starts_with("/etc"))
}

/// The store's folder where the config does not say.
pub(super) fn default_store(installed: bool, environment: &Environment) -> PathBuf {
    match &environment.state_directory {
        Some(state) => state.clone(),
        None if installed => PathBuf::from("/var/lib/harmattan"),
        None => environment.working_directory.join("harmattan-data"),
    }
}

/// The daemon's socket where the config does not say.
pub(super) fn default_socket(installed: bool, environment: &Environment, store: &Path) -> PathBuf {
    let folder = match &environment.runtime_directory {
        Some(runtime) => runtime.clone(),
        None if installed => PathBuf::from("/run/harmattan"),
        None => store.to_owned(),
    };
    folder.join("control.sock")
}

/// `[store]`
pub(super) fn store(
    section: &Section<'_>,
    installed: bool,
    environment: &Environment,
) -> Option<StoreSettings> {
    let path =
        if section.has("path") { section.path("path") } else { Some(default_store(installed, environment)) };
    let keep = section.duration("keep");
    Some(StoreSettings { path: path?, keep: keep? })
}

/// `[desk]`
pub(super) fn desk(section: &Section<'_>) -> Option<DeskSettings> {
    let timezone = if section.has("timezone") { section.zone("timezone")? } else { TimeZone::system() };
    Some(DeskSettings { timezone })
}

/// `[http]`
pub(super) fn http(section: &Section<'_>) -> Option<HttpSettings> {
    let contact = section.address("contact");
    let concurrency = section.integer("concurrency");
    let timeout = section.duration("timeout");
    let body_max = section.size("body_max");
    let allow_networks = section.networks("allow_networks");
    let proxy = section.address("proxy");
    Some(HttpSettings {
        contact,
        concurrency: concurrency?,
        timeout: timeout?,
        body_bytes_max: body_max?,
        allow_networks,
        proxy,
    })
}

/// `[schedule]`
pub(super) fn schedule(section: &Section<'_>) -> Option<ScheduleSettings> {
    let interval = section.duration("interval");
    let telegram = section.duration("telegram");
    let interval_min = section.duration("interval_min");
    let interval_max = section.duration("interval_max");
    let host_gap = section.duration("host_gap");
    let (min, max) = (interval_min?, interval_max?);
    if min > max {
        // Blame what was written, for the other may be a default.
        let (key, relation, other, value) = if section.has("interval_min") {
            ("interval_min", "above", "interval_max", max)
        } else {
            ("interval_max", "below", "interval_min", min)
        };
        return section.get(key)?.problem(
            format!("is {relation} `{other}`, which is \"{}\"", duration_text(value)),
            &format!("change it or `{other}`"),
        );
    }
    if min < INTERVAL_POLITE
        && let Some(node) = section.get("interval_min")
    {
        node.report.warn(
            node.blame(format!("\"{}\" is below \"60s\"", duration_text(min)))
                .hint("few servers welcome so many requests"),
        );
    }
    let start = |name, value: Duration| {
        if (min..=max).contains(&value) {
            return Some(value);
        }
        if !section.has(name) {
            // Nobody wrote it: the default gives way to the bounds that were written.
            return Some(value.clamp(min, max));
        }
        let (low, high) = (duration_text(min), duration_text(max));
        section.get(name)?.problem(
            format!("\"{}\" lies outside `interval_min` to `interval_max`", duration_text(value)),
            &format!("these are \"{low}\" and \"{high}\": change one of the three"),
        )
    };
    let (interval, telegram) = (start("interval", interval?), start("telegram", telegram?));
    Some(ScheduleSettings {
        interval: interval?,
        telegram: telegram?,
        interval_min: min,
        interval_max: max,
        host_gap: host_gap?,
    })
}

/// `[alerts]`
pub(super) fn alerts(section: &Section<'_>) -> Option<AlertSettings> {
    Some(AlertSettings { max_age: section.duration("max_age")? })
}

/// `[log]`
pub(super) fn log(section: &Section<'_>) -> Option<LogSettings> {
    let format = section.word("format");
    let level = section.word("level");
    let format = match format? {
        "human" => LogFormat::Human,
        "json" => LogFormat::Json,
        "journald" => LogFormat::Journald,
        _ => LogFormat::Auto,
    };
    Some(LogSettings { format, level: level?.parse().ok()? })
}

/// `[heartbeat]`
pub(super) fn heartbeat(section: &Section<'_>) -> Option<HeartbeatSettings> {
    let url = if section.has("url") { Some(section.address("url")?) } else { None };
    Some(HeartbeatSettings { url, every: section.duration("every")? })
}

/// `[control]`
pub(super) fn control(
    section: &Section<'_>,
    installed: bool,
    environment: &Environment,
    store: Option<&StoreSettings>,
) -> Option<ControlSettings> {
    let socket = if section.has("socket") {
        section.path("socket")?
    } else {
        default_socket(installed, environment, &store?.path)
    };
    if socket.as_os_str().as_bytes().len() > SOCKET_BYTES_MAX {
        section.problem(
            "socket",
            format!(
                "`{}` is longer than a socket's path may be ({SOCKET_BYTES_MAX} bytes)",
                socket.display()
            ),
            Some("choose a shorter path"),
        );
        return None;
    }
    Some(ControlSettings { socket })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::File;
    use crate::config::keys;
    use crate::config::problem::Report;

    #[test]
    fn an_installed_config_keeps_its_data_where_services_do() {
        let report = Report::default();
        let file = File::new(Path::new("harmattan.toml").into(), PathBuf::from("/etc"), String::new());
        let section = |table| Section::new(table, String::new(), &file, 0, &report);
        for (installed, store_path, socket_path) in [
            (true, "/var/lib/harmattan", "/run/harmattan/control.sock"),
            (false, "/desk/harmattan-data", "/desk/harmattan-data/control.sock"),
        ] {
            let environment = Environment::bare(PathBuf::from("/desk"));
            let store = store(&section(&keys::STORE), installed, &environment).unwrap();
            let control = control(&section(&keys::CONTROL), installed, &environment, Some(&store)).unwrap();
            assert_eq!(
                (store.path.as_path(), control.socket.as_path()),
                (store_path.as_ref(), socket_path.as_ref())
            );
        }
        assert!(is_installed(Path::new("/etc/harmattan/harmattan.toml")));
        assert!(!is_installed(Path::new("/srv/harmattan/harmattan.toml")));
    }
}
