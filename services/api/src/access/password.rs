//! Passwords: argon2id, away from the async threads, a few at once.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::limits::{PASSWORDS_AT_ONCE_MAX, PASSWORDS_WAITING_MAX};
use tokio::sync::Semaphore;

use crate::status::ApiError;

/// 19 MiB, 2 passes, 1 lane: what OWASP names as the least for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Makes and checks hashes of passwords.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    /// Those at work and those that wait.
    queue: Arc<Semaphore>,
    /// The hash of no password, checked for users that do not exist, so that they take as long as others.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Passwords {
        let salt = SaltString::from_b64("YmVsdHdhdGNo").expect("it is base64");
        let nobody = argon2().hash_password(b"", &salt).expect("the parameters are good").to_string();
        let places = Arc::new(Semaphore::new(PASSWORDS_AT_ONCE_MAX));
        let queue = Arc::new(Semaphore::new(PASSWORDS_AT_ONCE_MAX + PASSWORDS_WAITING_MAX));
        Passwords { places, queue, nobody: nobody.into() }
    }

    /// The hash of a password, in PHC form.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets).map_err(ApiError::NoRandomness)?;
        let salt = SaltString::encode_b64(&octets).expect("16 octets are a salt");
        let work = move || argon2().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string());
        Ok(self.work(work).await?.expect("the parameters are good"))
    }

    /// Whether a password fits a hash. Without a hash it never does, and takes as long.
    pub(crate) async fn fits(&self, password: String, hash: Option<&str>) -> Result<bool, ApiError> {
        let is_somebody = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let fits = self
            .work(move || {
                let hash = PasswordHash::new(&hash);
                hash.is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(fits && is_somebody)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.queue.clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work ends, also if the caller has gone.
            let _held = (place, turn);
            work()
        });
        Ok(done.await.expect("hashing does not panic, and is not aborted"))
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are good");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".to_owned()).await.unwrap(), "salts differ");
        assert!(passwords.fits("correct horse".to_owned(), Some(&hash)).await.unwrap());
        assert!(!passwords.fits("correct hors".to_owned(), Some(&hash)).await.unwrap());
        assert!(!passwords.fits(String::new(), None).await.unwrap(), "nobody has the empty password");
        assert!(!passwords.fits("x".to_owned(), Some("no hash")).await.unwrap());
    }

    #[tokio::test]
    async fn too_many_at_once_are_refused_and_the_rest_is_done() {
        let passwords = Passwords::new();
        let queue = PASSWORDS_AT_ONCE_MAX + PASSWORDS_WAITING_MAX;
        // No work ends before the gate opens, so that all are there at once however slow the machine is.
        let (gate, closed) = mpsc::channel::<()>();
        let closed = Arc::new(Mutex::new(closed));
        let work = || {
            let closed = closed.clone();
            passwords.work(move || closed.lock().unwrap().recv().is_err())
        };
        let mut all: FuturesUnordered<_> = (0..queue + 3).map(|_| work()).collect();
        for _ in 0..3 {
            assert!(matches!(all.next().await, Some(Err(ApiError::Busy))));
        }
        drop(gate);
        let done: Vec<_> = all.collect().await;
        assert_eq!(done.len(), queue);
        assert!(done.into_iter().all(|opened| opened.unwrap()), "each waited for the gate");
        assert!(passwords.work(|| ()).await.is_ok());
    }
}
