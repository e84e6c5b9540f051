//! The server's side of the world: what is due in it and when, where it dies, and what a restore brings back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hemu_endpoint::{DeviceId, Up};
use hemu_ingest::Clock;

use crate::disk::Disk;
use crate::plan::{Moment, Sabotage};
use crate::server::{Server, Stored};
use crate::world::{Due, Event, World, text};

type Outcome = Result<(), String>;

impl World<'_> {
    pub(crate) async fn start(&mut self) -> Outcome {
        if self.server.is_some() {
            return Ok(());
        }
        if self.sabotage == Sabotage::CursorsLost {
            self.disk.lose_cursors().await;
        }
        let clock = Arc::clone(&self.clock);
        let clock: Clock = Arc::new(move || clock.load(Ordering::Relaxed));
        let server = Server::start(&self.disk, clock, self.sabotage)
            .await
            .map_err(text)?;
        if std::mem::take(&mut self.anew) {
            self.oracle.restored(&server.ledger).await?;
        }
        self.oracle.read(&server.ledger).await?;
        self.oracle.check(&server.ledger).await?;
        self.server = Some(server);
        // The broker gives what was not acknowledged to the next one who asks.
        for number in self.mail.keys().copied().collect::<Vec<_>>() {
            let delay = self.draw(1, 500);
            self.after(delay, Event::Mail(number));
        }
        self.settle_soon();
        Ok(())
    }

    /// Dies here if a crash is due at this moment of the work.
    pub(crate) async fn perhaps_die(&mut self, moment: Moment) -> Outcome {
        match self.crashes.last() {
            Some(&(at, due)) if due == moment && at <= self.now && !self.healed => {
                self.crashes.pop();
                self.die().await
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn die(&mut self) -> Outcome {
        let Some(server) = self.server.take() else {
            return Ok(());
        };
        self.report.crashes += 1;
        Box::pin(server.die()).await.map_err(text)?;
        if self.sabotage == Sabotage::DiskLies {
            self.disk.lose_last_batch().await;
        }
        self.due = Due::default();
        for who in 0..self.bins.len() {
            if let Some(link) = self.bins[who].link.as_ref().map(|link| link.number) {
                let delay = self.draw(1, 3_000);
                self.after(delay, Event::Hangup { who, link });
            }
        }
        let delay = self.draw(500, 20_000);
        self.after(delay, Event::Start);
        Ok(())
    }

    pub(crate) fn back_up(&mut self) {
        self.backup = Some(Disk::truth_of(&self.disk, self.blank));
    }

    /// The backup takes the place of whatever the server had; the server is told so, and tells its devices.
    pub(crate) async fn restore(&mut self) -> Outcome {
        let Some(backup) = &self.backup else { return Ok(()) };
        let restored = Disk::truth_of(backup, self.blank);
        self.die().await?;
        self.disk = restored;
        self.report.restores += 1;
        self.restored_at = self.next_number();
        self.anew = true;
        if self.sabotage != Sabotage::GenerationKept {
            self.generation += 1;
            self.disk.set_generation(self.generation).await;
        }
        let delay = self.draw(500, 60_000);
        self.after(delay, Event::Start);
        Ok(())
    }

    pub(crate) async fn up(&mut self, who: usize, link: u64, bytes: &[u8]) -> Outcome {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        let said = server.hear(who, link, bytes).await.map_err(text)?;
        self.answer(who, link, said);
        self.commit_soon();
        self.perhaps_die(Moment::Submitted).await
    }

    pub(crate) async fn redeem(&mut self, who: usize, link: u64) -> Outcome {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        let said = server.redeem(who, link).await.map_err(text)?;
        self.answer(who, link, said);
        self.commit_soon();
        self.perhaps_die(Moment::Redeemed).await
    }

    pub(crate) async fn deliver(&mut self, number: u64) -> Outcome {
        let (Some(server), Some((who, up, payload))) = (&mut self.server, self.mail.get(&number)) else {
            return Ok(());
        };
        let device = DeviceId::try_from(self.bins[*who].name.as_str()).map_err(text)?;
        server.mail(number, &device, *up, payload).await;
        self.commit_soon();
        self.perhaps_die(Moment::Submitted).await
    }

    /// A device's publish is with the broker.
    pub(crate) fn post(&mut self, who: usize, up: Up, payload: Vec<u8>) {
        let number = self.next_number();
        self.mail.insert(number, (who, up, payload));
        let times = 1 + i32::from(self.mishap(0.1));
        for _ in 0..times {
            let delay = self.draw(1, 4_000);
            self.after(delay, Event::Mail(number));
        }
    }

    pub(crate) fn broker_dies(&mut self) {
        self.report.mail_lost += self.mail.len() as u64;
        self.mail.clear();
    }

    pub(crate) fn commit_soon(&mut self) {
        let waiting = self.server.as_ref().is_some_and(|server| server.waiting);
        if waiting && !std::mem::replace(&mut self.due.committing, true) {
            let delay = self.draw(1, 600);
            self.after(delay, Event::Commit);
        }
    }

    pub(crate) async fn commit(&mut self) -> Outcome {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        self.due.committing = false;
        let stored = server.commit().await;
        self.oracle.read(&server.ledger).await?;
        self.tell(stored);
        self.settle_soon();
        self.perhaps_die(Moment::Committed).await
    }

    pub(crate) fn tell(&mut self, stored: Vec<Stored>) {
        let mut from = self.now;
        for stored in stored {
            // In the order of the chunks, as the endpoint has it.
            from += self.draw(0, 20);
            let event = match stored {
                Stored::Chunk { who, link } => Event::Redeem { who, link },
                Stored::Mail(number) => Event::Mailed(number),
            };
            self.at(from, event);
        }
    }

    /// After a commit: a fold, and receipts, a tenth of a second after the last ones at the soonest.
    fn settle_soon(&mut self) {
        if !std::mem::replace(&mut self.due.folding, true) {
            let delay = self.draw(10, 15_000);
            self.after(delay, Event::Fold);
        }
        if !std::mem::replace(&mut self.due.receipting, true) {
            let at = (self.receipts_at + 100).max(self.now + 1);
            self.at(at, Event::Receipts { again: false });
        }
    }

    pub(crate) async fn fold(&mut self) -> Outcome {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        self.due.folding = false;
        while server.fold().await.map_err(text)? {}
        self.oracle.read(&server.ledger).await?;
        self.perhaps_die(Moment::Folded).await
    }
}
