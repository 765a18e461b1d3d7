//! CloudWatch sink: a test destination that speaks the Logs API of CloudWatch.
//!
//! It enforces the limits of the service, keeps a ledger of what it took, and can deny, throttle,
//! stall, swallow and lie, target by target. Owner of all state: [`Account`], behind one short lock.
//! Bounds: [`account::TARGETS_MAX`] streams, a body of [`server::BODY_BYTES_MAX`] bytes.

mod account;
mod entries;
mod put;
mod rules;
mod server;
mod signature;
mod totals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

pub(crate) use account::Account;
pub(crate) use rules::Rule;
pub(crate) use totals::Totals;

use crate::bench_world::BenchWorld;
use signature::Key;

/// Where the CloudWatch sink listens and what it does to whom.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "CloudWatch")]
pub(crate) struct CloudWatchOptions {
    /// Speaks the Logs API of CloudWatch at this address, over plain HTTP, instead of OTLP. Without
    /// an address it is `localhost:4586`.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "localhost:4586")]
    pub(crate) cloudwatch: Option<String>,

    /// What happens to requests, as `GROUP[:STREAM][,OPERATION]=BEHAVIOUR[@LIMIT]`; names may end
    /// in `*`. Behaviours: `deny`, `throttle[:PER_SECOND]`, `stall:MILLISECONDS`, `swallow`,
    /// `reset`, `lose` (takes the data, then hangs up), `reject` (answers 200, but takes no event),
    /// `garble` (answers 200 with HTML), `error:NAME` and `status:NUMBER`. The limit is a number of
    /// requests, or a time such as `30s`. May be given several times; the first that fits counts.
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Vec<Rule>,

    /// Makes streams and groups at the first put, instead of saying that they are missing.
    #[arg(long)]
    pub(crate) create_missing: bool,

    /// Checks that requests are signed with this key: `ID:SECRET`.
    #[arg(long, value_name = "KEY", env = "TIDEGATE_SINK_KEY", hide_env_values = true)]
    pub(crate) require_key: Option<Key>,

    /// How far the sink's clock is ahead, in seconds; may be negative.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_hyphen_values = true)]
    pub(crate) clock_ahead: i64,
}

/// A running CloudWatch sink.
#[derive(Debug)]
pub(crate) struct CloudWatchSink {
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) account: Shared,
    clock: Clock,
    scope: Scope,
    accepting: Task<()>,
}

/// The account, shared by the connections.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Account>>);

impl Shared {
    /// Looks into the account or changes it; nothing waits meanwhile.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CloudWatchSink {
    /// Listens and takes what may be taken.
    pub(crate) fn start(
        world: &BenchWorld,
        address: &str,
        options: &CloudWatchOptions,
    ) -> anyhow::Result<Self> {
        let scope = world.scope.child("cloudwatch sink");
        let listener = world.listen(address).with_context(|| format!("listen on {address}"))?;
        let address = listener.local_address().context("ask for the address")?;
        let mut account = Account::new(options.create_missing);
        account.rules.replace(options.rule.clone(), world.clock.now());
        let account = Shared(Arc::new(Mutex::new(account)));
        let service = server::Service {
            account: account.clone(),
            key: options.require_key.clone(),
            clock: world.clock,
            ahead: options.clock_ahead,
        };
        let accepting = scope.spawn("accept", server::accept(listener, service, scope.clone()));
        Ok(Self { address, account, clock: world.clock, scope, accepting })
    }

    /// Replaces the rules: what was denied may be granted from now on.
    #[cfg(test)]
    pub(crate) fn rule(&self, rules: &[&str]) {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let now = self.clock.now();
        self.account.with(|account| account.rules.replace(rules, now));
    }

    /// Stops listening; gives what was counted.
    pub(crate) async fn end(self, within: Duration) -> Totals {
        self.accepting.cancel();
        self.scope.close(self.clock, self.clock.now() + within).await;
        self.account.with(|account| account.totals())
    }
}

#[cfg(test)]
mod tests;
