//! Exim, Debian's mail server, as a process of the test on a loopback port, with folders of its own. It takes mail for
//! everybody and keeps it in a maildir.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::Command;

use super::gym::LOOK;
use super::program::{Plan, Program, free_ports};
use crate::processes::PATIENCE;
use crate::report;

/// Whom Debian runs it as.
const USER: &str = "Debian-exim";

/// A mail server.
#[derive(Debug)]
pub(super) struct Exim {
    port: u16,
    folder: PathBuf,
    process: Program,
    /// Dropped last, with all mail in it.
    temporary: Option<TempDir>,
}

impl Exim {
    /// Starts it in a new folder that goes with it.
    pub(super) async fn start(program: &Path) -> anyhow::Result<Exim> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-exim-").tempdir()?;
        let folder = temporary.path().to_owned();
        let owner = owner().await?;
        // It becomes its own user before it writes.
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755))?;
        for name in ["spool", "log", "mail"] {
            std::fs::create_dir(folder.join(name))?;
            chown(folder.join(name), Some(owner.0), Some(owner.1))?;
        }
        write_certificates(&folder)?;
        chown(folder.join("key.pem"), Some(owner.0), Some(owner.1))?;
        let settings = folder.join("exim.conf");
        std::fs::write(&settings, settings_of(&folder))?;
        // It refuses settings that others may write.
        std::fs::set_permissions(&settings, PermissionsExt::from_mode(0o644))?;
        let [port] = free_ports()?;
        let at = format!("127.0.0.1.{port}");
        let process = Program::start(Plan {
            program: program.to_owned(),
            arguments: vec!["-C".into(), settings.into(), "-bdf".into(), "-oX".into(), at.into()],
            environment: Vec::new(),
            log: folder.join("exim.log"),
        })?;
        let mut exim = Exim { port, folder, process, temporary: Some(temporary) };
        exim.ready().await?;
        Ok(exim)
    }

    /// host:port.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whom to trust about it, PEM.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// Leaves the folder behind.
    pub(super) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("mail and the mail server's logs are in {}", temporary.keep().display()));
        }
    }

    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.terminate().await
    }

    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    /// What lies in the mailbox, each as it was written.
    pub(super) fn mailbox(&self) -> anyhow::Result<Vec<String>> {
        let folder = self.folder.join("mail").join("new");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let read = |entry: std::io::Result<std::fs::DirEntry>| Ok(std::fs::read_to_string(entry?.path())?);
        std::fs::read_dir(folder)?.map(read).collect()
    }

    /// Waits until it greets.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            self.process.check_running()?;
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await {
                let mut greeting = [0; 4];
                stream.read_exact(&mut greeting).await.context("the mail server does not greet")?;
                ensure!(&greeting == b"220 ", "the mail server greets with {greeting:?}");
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the mail server is not ready after {PATIENCE:?}; its log:\n{}", self.process.last_words())
    }
}

/// Numbers of its user and group.
async fn owner() -> anyhow::Result<(u32, u32)> {
    let mut numbers = [0; 2];
    for (number, what) in numbers.iter_mut().zip(["-u", "-g"]) {
        let output = Command::new("id").args([what, USER]).output().await?;
        ensure!(output.status.success(), "there is no user {USER}; install exim4-daemon-light");
        *number = String::from_utf8_lossy(&output.stdout).trim().parse().context("id gives a number")?;
    }
    Ok((numbers[0], numbers[1]))
}

/// An authority, a certificate that it signed for this address, and its key.
fn write_certificates(folder: &Path) -> anyhow::Result<()> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Mail authority of a test");
    std::fs::write(folder.join("authority.pem"), authority.self_signed(&authority_key)?.pem())?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let mut own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    own.distinguished_name.push(DnType::CommonName, "mail");
    own.use_authority_key_identifier_extension = true;
    std::fs::write(folder.join("certificate.pem"), own.signed_by(&key, &issuer)?.pem())?;
    std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
    std::fs::set_permissions(folder.join("key.pem"), PermissionsExt::from_mode(0o600))?;
    Ok(())
}

fn settings_of(folder: &Path) -> String {
    format!(
        "primary_hostname = localhost\nexim_user = {USER}\nexim_group = {USER}\nspool_directory = {0}/spool\n\
         log_file_path = {0}/log/%slog\nlocal_interfaces = 127.0.0.1\npid_file_path = {0}/spool/pid\n\
         tls_advertise_hosts = *\ntls_certificate = {0}/certificate.pem\ntls_privatekey = {0}/key.pem\n\
         acl_smtp_rcpt = rcpt\nkeep_environment =\nbegin acl\nrcpt:\n  require encrypted = *\n  accept\n\
         begin routers\nall:\n  driver = accept\n  transport = keep\nbegin transports\nkeep:\n  driver = appendfile\n  \
         directory = {0}/mail\n  maildir_format\n  user = {USER}\n",
        folder.display()
    )
}
