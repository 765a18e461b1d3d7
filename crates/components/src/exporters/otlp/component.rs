//! Component: the road out together with the connections that it uses.

use std::sync::Arc;
use std::time::Instant;

use delivery::Destination;
use futures_util::future::BoxFuture;
use pipeline::{Built, Component, Environment, StartError};
use runtime::clock::Clock;
use runtime::task::Scope;

use crate::client::Channel;

/// What an exporter was built from.
#[derive(Debug)]
struct Exporter {
    road: Arc<dyn Component>,
    channels: Vec<Arc<Channel>>,
    scope: Scope,
    clock: Clock,
}

/// Starts the road to `destination`; `channels`, whose tasks live in `scope`, are closed after it.
pub(crate) fn start(
    env: &Environment,
    settings: delivery::Settings,
    destination: impl Destination,
    (channels, scope): (Vec<Arc<Channel>>, Scope),
) -> Result<Built, StartError> {
    let road = delivery::start(env, settings, destination)?;
    let exporter = Exporter { road: road.component, channels, scope, clock: env.clock };
    Ok(Built { component: Arc::new(exporter), consumer: road.consumer })
}

impl Component for Exporter {
    fn drain(&self, deadline: Instant) {
        self.road.drain(deadline);
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.road.close(deadline).await;
            self.channels.iter().for_each(|channel| channel.close());
            self.scope.idle_by(self.clock, deadline).await;
        })
    }

    fn explain(&self) -> Vec<String> {
        let connections = self.channels.iter().filter_map(|channel| channel.explain());
        self.road.explain().into_iter().chain(connections).collect()
    }
}
