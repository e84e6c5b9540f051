//! The maker's side: keys, signing, looking at a package. Must not: print a secret or write over a key.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use firmware_sim::hex::hex;
use firmware_sim::update::{Model, Package, SigningKey, Trusted};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::cli::{create, print_json};

/// Make a key to sign with: FILE holds the secret, FILE.pub is what devices get
#[derive(Debug, clap::Args)]
pub(super) struct KeyArgs {
    /// File for the secret; nothing is written over
    file: PathBuf,
}

/// Sign an image as a package
#[derive(Debug, clap::Args)]
pub(super) struct SignArgs {
    /// Secret key, as `update key` wrote it
    #[arg(long)]
    key: PathBuf,
    /// Devices it is for: 1 to 32 of a-z, 0-9 and -
    #[arg(long)]
    model: Model,
    /// Counts up with every release, from 1; devices take only higher ones than they had
    #[arg(long)]
    version: u32,
    /// The firmware
    #[arg(long)]
    image: PathBuf,
    /// Public key that will sign later updates; devices trust it once this one has confirmed itself
    #[arg(long)]
    next_key: Option<PathBuf>,
    /// Where the package goes
    #[arg(long)]
    out: PathBuf,
}

/// Show what a package says of itself; exit 1 if --trust is given and did not sign it
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// The package
    package: PathBuf,
    /// Public key to check the signature with; without it nothing shown is proven
    #[arg(long)]
    trust: Option<PathBuf>,
}

pub(super) fn key(args: &KeyArgs) -> anyhow::Result<bool> {
    let mut seed = [0; 32];
    let drawn = SystemRandom::new().fill(&mut seed);
    drawn.map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    let key = SigningKey::from_seed(&seed)?.public();
    let public = with_pub(&args.file);
    // In this order: a public key alone is harmless, a secret whose other half could not be written is not.
    write_new(&public, 0o644, &key.to_string())?;
    if let Err(error) = write_new(&args.file, 0o600, &hex(&seed)) {
        std::fs::remove_file(&public)?;
        return Err(error);
    }
    print_json(&serde_json::json!({
        "key": key.id().to_string(),
        "secret": args.file,
        "public": public,
    }))?;
    Ok(true)
}

fn with_pub(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn write_new(path: &Path, mode: u32, line: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options
        .open(path)
        .with_context(|| format!("expected a file that is not there yet: {}", path.display()))?;
    writeln!(file, "{line}")?;
    Ok(file.sync_all()?)
}

pub(super) fn sign(args: &SignArgs) -> anyhow::Result<bool> {
    let key = SigningKey::from_hex(&super::read_text(&args.key)?);
    let key = key.with_context(|| args.key.display().to_string())?;
    let next_key = args.next_key.as_deref().map(super::public_key).transpose()?;
    let image = super::bounded(&args.image)?;
    let package = Package::sign(&key, args.model, args.version, image, next_key)?;
    create(&args.out)?.write_all(&package.encode())?;
    print_json(&super::described(&package.head.claims()?))?;
    Ok(true)
}

pub(super) fn show(args: &ShowArgs) -> anyhow::Result<bool> {
    let package = Package::decode(&super::bounded(&args.package)?)?;
    let mut shown = super::described(&package.head.claims()?);
    let mut good = true;
    let verdict = match args.trust.as_deref().map(super::public_key).transpose()? {
        None => "not checked".to_owned(),
        Some(current) => match package.verify(&Trusted { current, next: None }) {
            Ok(_) => "good".to_owned(),
            Err(refusal) => {
                good = false;
                refusal.to_string()
            }
        },
    };
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("signature".to_owned(), verdict.into());
    }
    print_json(&shown)?;
    Ok(good)
}
