//! Whether the loops of the server still turn: each is asked, and must answer from within itself.
//!
//! Nobody asks unless somebody watches, so that an idle board may sleep.

use std::{
    future::pending,
    pin::pin,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// Asks, and remembers who has to answer.
#[derive(Debug)]
pub(super) struct Pulse {
    question: watch::Sender<u64>,
    answers: Mutex<Vec<watch::Receiver<u64>>>,
}

/// What a loop answers with.
#[derive(Debug)]
pub(super) struct Part {
    question: watch::Receiver<u64>,
    answer: watch::Sender<u64>,
    answered: u64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { question: watch::Sender::new(0), answers: Mutex::default() }
    }

    /// Has one more loop to be asked, from the next question on.
    pub(super) fn part(&self) -> Part {
        let question = self.question.subscribe();
        let answered = *question.borrow();
        let answer = watch::Sender::new(answered);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer.subscribe());
        Part { question, answer, answered }
    }

    /// Asks every loop, and completes when all have answered. A loop that has ended has nothing to
    /// answer: unless the server is stopping, such an end is noticed as what it is.
    pub(super) async fn beat(&self) {
        let mut asked = 0;
        self.question.send_modify(|number| {
            *number += 1;
            asked = *number;
        });
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for mut answer in answers {
            let _ = answer.wait_for(|answered| *answered >= asked).await;
        }
    }
}

impl Part {
    /// Waits for something else, and answers meanwhile.
    pub(super) async fn answering<T>(&mut self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = pin!(awaited);
        loop {
            tokio::select! {
                done = &mut awaited => return done,
                () = self.asked() => self.answer(),
            }
        }
    }

    /// Completes when there is a question; to wait for beside what the loop waits for otherwise.
    pub(super) async fn asked(&mut self) {
        let answered = self.answered;
        if self.question.wait_for(|asked| *asked != answered).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Answers, if there is a question. To be called where the loop has come round.
    pub(super) fn answer(&mut self) {
        let asked = *self.question.borrow();
        if asked != self.answered {
            self.answered = asked;
            self.answer.send_replace(asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn beats(pulse: &Pulse) -> bool {
        timeout(Duration::from_secs(1), pulse.beat()).await.is_ok()
    }

    async fn turn(mut part: Part) {
        part.answering(pending::<()>()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn every_loop_must_answer_each_time() {
        let pulse = Pulse::new();
        assert!(beats(&pulse).await, "nobody is asked");
        tokio::spawn(turn(pulse.part()));
        assert!(beats(&pulse).await && beats(&pulse).await);
        let mut second = pulse.part();
        assert!(!beats(&pulse).await);
        second.answer();
        assert!(!beats(&pulse).await, "an answer to an old question is none");
        let second = tokio::spawn(turn(second));
        assert!(beats(&pulse).await);
        second.abort();
        assert!(second.await.is_err());
        assert!(beats(&pulse).await, "one that has ended is not asked");
    }

    #[tokio::test(start_paused = true)]
    async fn one_answer_serves_all_who_ask_at_once() {
        let pulse = Pulse::new();
        tokio::spawn(turn(pulse.part()));
        assert_eq!(tokio::join!(beats(&pulse), beats(&pulse), beats(&pulse)), (true, true, true));
    }
}
