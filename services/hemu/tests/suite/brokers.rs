//! Other people's brokers, started for one test on a port and in a folder of its own, ended with it.
#![expect(clippy::expect_used, clippy::panic, reason = "a test's helper fails loudly")]

use std::fmt::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use firmware_sim::keys::Key;
use tokio::time::Instant;

use crate::support::{free_port, required, succeed};

const MOSQUITTO: &str = "/usr/sbin/mosquitto";
const NATS: &str = "/usr/sbin/nats-server";
/// The login that the shipped rules give the right to read what devices send.
pub(crate) const INGEST: &str = "hemu-ingest";
pub(crate) const PASSWORD: &str = "12345678";
/// Where the shipped configuration and rules are.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ingest/broker");
/// Nothing takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A running broker, killed when dropped.
pub(crate) struct Broker {
    child: Child,
    command: (&'static str, Vec<String>),
    pub(crate) port: u16,
}

/// Whether a broker is installed; says so when not, unless it has to be.
pub(crate) fn is_there(name: &str) -> bool {
    let program = if name == "nats" { NATS } else { MOSQUITTO };
    if Path::new(program).exists() {
        return true;
    }
    assert!(
        !required(name),
        "{program} is not there and HEMU_TEST_REQUIRE asks for it"
    );
    println!("skipped: {program} is not there");
    false
}

/// The password file of the broker in `folder`.
pub(crate) fn passwords(folder: &Path) -> PathBuf {
    folder.join("passwords")
}

/// Registers a device here and there.
pub(crate) fn add_device(folder: &Path, data: &Path, id: &str) -> Key {
    let file = passwords(folder);
    let line = succeed(
        data,
        &[
            "device",
            "add",
            id,
            "--mosquitto-password-file",
            &file.to_string_lossy(),
        ],
    );
    serde_json::from_str(&line).expect("one JSON line")
}

impl Broker {
    /// Mosquitto as it is shipped, but for where it keeps things; `change` lines replace those of the same setting.
    pub(crate) fn mosquitto(folder: &Path, change: &[(&str, &str)]) -> Self {
        let port = free_port();
        let shipped =
            std::fs::read_to_string(format!("{SHIPPED}/mosquitto.conf")).expect("the shipped configuration");
        let here = folder.display();
        let mut conf = shipped
            .replace("/etc/mosquitto/hemu/", &format!("{here}/"))
            .replace("/var/lib/mosquitto/", &format!("{here}/"))
            .replace("listener 1884 127.0.0.1", &format!("listener {port} 127.0.0.1"));
        for (setting, value) in change {
            let begins = format!("{setting} ");
            let kept = conf.lines().filter(|line| !line.starts_with(&begins));
            conf = kept.flat_map(|line| [line, "\n"]).collect();
            writeln!(conf, "{setting} {value}").expect("into a string");
        }
        // Only root would become somebody else, who has no right to a test's folder.
        conf.push_str("user root\n");
        std::fs::copy(format!("{SHIPPED}/acl"), folder.join("acl")).expect("the shipped rules");
        std::fs::set_permissions(folder.join("acl"), PermissionsExt::from_mode(0o600)).expect("its mode");
        make_passwords(folder);
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, conf).expect("written");
        Self::start(
            MOSQUITTO,
            vec!["-c".into(), file.to_string_lossy().into_owned()],
            port,
        )
    }

    /// Mosquitto's other way to say who may do what, which can refuse a subscription: everything but that is allowed.
    pub(crate) fn that_refuses_subscriptions(folder: &Path) -> Self {
        let port = free_port();
        let rules = folder.join("rules.json");
        make_passwords(folder);
        let line = std::fs::read_to_string(passwords(folder)).expect("the line of the ingest user");
        let [_, _, _, salt, digest] = *line.trim().split('$').collect::<Vec<_>>() else {
            panic!("another form: {line}")
        };
        let text = serde_json::json!({
            "defaultACLAccess": {
                "publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true,
            },
            "clients": [{"username": INGEST, "password": digest, "salt": salt, "iterations": 101}],
            "groups": [],
            "roles": [],
        })
        .to_string();
        std::fs::write(&rules, text).expect("written");
        let plugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so";
        let conf = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\nuser root\nplugin {plugin}\nplugin_opt_config_file {}\n",
            rules.display()
        );
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, conf).expect("written");
        Self::start(
            MOSQUITTO,
            vec!["-c".into(), file.to_string_lossy().into_owned()],
            port,
        )
    }

    /// NATS with MQTT, and a login for each device.
    pub(crate) fn nats(folder: &Path, keys: &[Key]) -> Self {
        let (port, clients) = (free_port(), free_port());
        let mut users = format!("{{user: {INGEST}, password: \"{PASSWORD}\"}}");
        for Key { device, key } in keys {
            write!(users, ", {{user: {device}, password: \"{key}\"}}").expect("into a string");
        }
        let store = folder.join("jetstream");
        let conf = format!(
            "server_name: test\nhost: 127.0.0.1\nport: {clients}\njetstream: {{store_dir: \"{}\"}}\nmqtt: {{host: 127.0.0.1, port: {port}}}\nauthorization: {{users: [{users}]}}\n",
            store.display()
        );
        let file = folder.join("nats.conf");
        std::fs::write(&file, conf).expect("written");
        Self::start(NATS, vec!["-c".into(), file.to_string_lossy().into_owned()], port)
    }

    fn start(program: &'static str, arguments: Vec<String>, port: u16) -> Self {
        let child = spawn(program, &arguments, port);
        Self {
            child,
            command: (program, arguments),
            port,
        }
    }

    /// `kill -9`, and the same broker again on the same port.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        self.child = spawn(self.command.0, &self.command.1, self.port);
    }

    /// Has it read its password file again.
    pub(crate) fn reload(&self) {
        signal(self.child.id(), "-HUP");
    }

    /// A configuration file for Hemu behind this broker.
    pub(crate) fn config(&self, folder: &Path, more: &str) -> PathBuf {
        let example = succeed(folder, &["config"]);
        let text = format!(
            "{example}\nbroker_url = \"mqtt://127.0.0.1:{}\"\nbroker_username = \"{INGEST}\"\nbroker_password = \"{PASSWORD}\"\n{more}\n",
            self.port
        );
        let replaced = |line: &&str| {
            more.lines()
                .all(|new| new.split('=').next() != line.split('=').next())
        };
        let kept = text.lines().take(example.lines().count()).filter(replaced);
        let added = text.lines().skip(example.lines().count());
        let file = folder.join("hemu.toml");
        let text: Vec<&str> = kept.chain(added).collect();
        std::fs::write(&file, text.join("\n")).expect("written");
        file
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Gone already when the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// A password file with the ingest user alone.
fn make_passwords(folder: &Path) {
    let made = Command::new("/usr/bin/mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(passwords(folder))
        .args([INGEST, PASSWORD])
        .status();
    assert!(made.expect("mosquitto_passwd runs").success());
}

fn spawn(program: &str, arguments: &[String], port: u16) -> Child {
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the broker starts");
    until(&format!("{program} listens"), || {
        assert!(
            child.try_wait().expect("its state").is_none(),
            "{program} ended by itself"
        );
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    child
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "in {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
