//! Assembly: the parts of the next graph, built beside the running one.
//!
//! New outlets are connected at once: nothing flows through them yet. Outlets of parts that run on
//! are noted, and led over only when everything has been built.

use super::meter::{Meter, Side};
use super::{
    Arc, BTreeMap, ComponentId, Consumer, Environment, Extensions, GraphError, Kind, Node, Outlet,
    Outlets, Parts, Place, Plan, Signal, Stage, StartError, World,
};
use crate::fanout::FanOut;
use crate::plan::PlannedPipeline;

/// The parts of the next graph and the outlets that are to be led over.
pub(super) struct Assembly<'a> {
    world: &'a World,
    running: &'a Parts,
    plan: &'a Plan,
    parts: Parts,
    extensions: Extensions,
    to_connect: Vec<(Outlet, Arc<dyn Consumer>)>,
}

impl<'a> Assembly<'a> {
    /// Builds what the plan needs and the running parts lack, up to the first that fails.
    pub(super) fn of(
        world: &'a World,
        running: &'a Parts,
        plan: &'a Plan,
    ) -> (Self, Result<(), GraphError>) {
        let parts = Parts { flow: flow_of(plan), ..Parts::default() };
        let extensions = Extensions::default();
        let mut assembly = Self { world, running, plan, parts, extensions, to_connect: Vec::new() };
        let result = assembly.build();
        (assembly, result)
    }

    fn build(&mut self) -> Result<(), GraphError> {
        self.extensions()?;
        self.exporters()?;
        self.connectors()?;
        let heads = self.pipelines()?;
        self.wire_connectors(&heads);
        self.receivers(&heads)
    }

    /// Leads the outlets of the parts that run on to their new consumers.
    pub(super) fn connect(&self) {
        for (outlet, consumer) in &self.to_connect {
            outlet.connect(Arc::clone(consumer));
        }
    }

    pub(super) fn into_parts(self) -> Parts {
        self.parts
    }

    fn extensions(&mut self) -> Result<(), GraphError> {
        for (id, planned) in &self.plan.extensions {
            let running = self.running.extensions.iter().find(|(other, _)| other == id);
            let node = match running {
                Some((_, node)) if node.fingerprint == planned.fingerprint => node.clone(),
                _ => {
                    let built = planned.blueprint.build(self.environment(Kind::Extension, id));
                    let running = built.map_err(error_of(Kind::Extension, id))?;
                    Node { running, fingerprint: planned.fingerprint, outlets: Outlets::default() }
                }
            };
            self.parts.extensions.push((id.clone(), node));
            // Later ones may use earlier ones.
            let all = self.parts.extensions.iter();
            self.extensions =
                all.map(|(id, node)| (id.clone(), Arc::clone(&node.running))).collect();
        }
        Ok(())
    }

    fn exporters(&mut self) -> Result<(), GraphError> {
        for (id, planned) in &self.plan.exporters {
            let node = match self.running.exporters.get(id) {
                Some(node) if node.fingerprint == planned.fingerprint => node.clone(),
                _ => {
                    let built = planned.blueprint.build(self.environment(Kind::Exporter, id));
                    let running = built.map_err(error_of(Kind::Exporter, id))?.into();
                    Node { running, fingerprint: planned.fingerprint, outlets: Outlets::default() }
                }
            };
            self.parts.exporters.insert(id.clone(), node);
        }
        Ok(())
    }

    fn connectors(&mut self) -> Result<(), GraphError> {
        for (id, planned) in &self.plan.connectors {
            let node = match self.running.connectors.get(id) {
                Some(node) if self.is_unchanged(id, node, planned.fingerprint) => node.clone(),
                _ => {
                    let outlets = self.outlets_of(id);
                    let env = self.environment(Kind::Connector, id);
                    let built = planned.blueprint.build(env, outlets.clone());
                    let running = built.map_err(error_of(Kind::Connector, id))?.into();
                    Node { running, fingerprint: planned.fingerprint, outlets }
                }
            };
            self.parts.connectors.insert(id.clone(), node);
        }
        Ok(())
    }

    /// Builds every pipeline from its end; gives the consumer at each pipeline's head.
    fn pipelines(&mut self) -> Result<Heads, GraphError> {
        let mut heads = Heads::default();
        for pipeline in &self.plan.pipelines {
            let ends = pipeline.exporters.iter().map(|id| self.end(id)).collect();
            let mut head = FanOut::over(ends);
            for id in pipeline.processors.iter().rev() {
                head = self.processor(pipeline, id, head)?;
            }
            heads.add(pipeline, &head);
        }
        Ok(heads)
    }

    /// The consumer of an exporter, or of a connector used as one.
    fn end(&self, id: &ComponentId) -> Arc<dyn Consumer> {
        let node = self.parts.exporters.get(id).or_else(|| self.parts.connectors.get(id));
        let node = node.expect("a plan's references lead somewhere");
        Arc::clone(&node.running.gate)
    }

    fn processor(
        &mut self,
        pipeline: &PlannedPipeline,
        id: &ComponentId,
        next: Arc<dyn Consumer>,
    ) -> Result<Arc<dyn Consumer>, GraphError> {
        let planned = &self.plan.processors[id];
        let place = Place { pipeline: pipeline.id.clone(), id: id.clone() };
        let signal = pipeline.id.signal;
        let metrics = &self.world.metrics;
        let next = Meter::before(next, Side::Outgoing, metrics, (id, signal));
        let running = self.running.processors.get(&place);
        // A predecessor leads on to the same place: what it still holds flows through the new graph.
        if let Some(outlet) = running.and_then(|node| node.outlets.of(signal)) {
            self.to_connect.push((outlet.clone(), Arc::clone(&next)));
        }
        let node = match running {
            Some(node) if node.fingerprint == planned.fingerprint => node.clone(),
            _ => {
                let outlet = Outlet::to(next);
                let env =
                    Environment { signal: Some(signal), ..self.environment(Kind::Processor, id) };
                let built = planned.blueprint.build(env, outlet.clone());
                let running = built.map_err(error_of(Kind::Processor, id))?.into();
                let outlets = [(signal, outlet)].into_iter().collect();
                Node { running, fingerprint: planned.fingerprint, outlets }
            }
        };
        let gate = Arc::clone(&node.running.gate);
        self.parts.processors.insert(place, node);
        Ok(Meter::before(gate, Side::Incoming, metrics, (id, signal)))
    }

    fn wire_connectors(&mut self, heads: &Heads) {
        let nodes = self.parts.connectors.iter().chain(&self.running.connectors);
        let outlets: Vec<_> = nodes.map(|(id, node)| (id.clone(), node.outlets.clone())).collect();
        for (id, outlets) in outlets {
            self.note(&id, &outlets, heads);
        }
    }

    /// Builds the receivers last: they send from the moment they start.
    fn receivers(&mut self, heads: &Heads) -> Result<(), GraphError> {
        for (id, planned) in &self.plan.receivers {
            let running = self.running.receivers.get(id);
            if let Some(node) = running {
                self.note(id, &node.outlets, heads);
            }
            let node = match running {
                Some(node) if self.is_unchanged(id, node, planned.fingerprint) => node.clone(),
                _ => {
                    let outlets = self.outlets_of(id);
                    for signal in outlets.signals() {
                        let next = heads.after(id, signal).expect("a pipeline takes this signal");
                        outlets.of(signal).expect("it is listed").connect(next);
                    }
                    let env = self.environment(Kind::Receiver, id);
                    let built = planned.blueprint.build(env, outlets.clone());
                    let running = built.map_err(error_of(Kind::Receiver, id))?;
                    Node { running, fingerprint: planned.fingerprint, outlets }
                }
            };
            self.parts.receivers.insert(id.clone(), node);
        }
        Ok(())
    }

    /// Leads the outlets of a part, which runs on or was replaced, to where the plan wants them.
    fn note(&mut self, id: &ComponentId, outlets: &Outlets, heads: &Heads) {
        for signal in outlets.signals() {
            let outlet = outlets.of(signal).expect("it is listed").clone();
            // Without a successor it keeps its old way until it ends.
            self.to_connect.extend(heads.after(id, signal).map(|next| (outlet, next)));
        }
    }

    /// A node runs on when its settings are equal and it feeds the same signals as before.
    fn is_unchanged<C>(&self, id: &ComponentId, node: &Node<C>, fingerprint: u64) -> bool {
        let mut signals: Vec<_> = self.plan.signals_out_of(id).collect();
        signals.sort_unstable();
        signals.dedup();
        node.fingerprint == fingerprint && node.outlets.signals().eq(signals)
    }

    fn outlets_of(&self, id: &ComponentId) -> Outlets {
        self.plan.signals_out_of(id).map(|signal| (signal, Outlet::unconnected())).collect()
    }

    fn environment(&self, kind: Kind, id: &ComponentId) -> Environment {
        Environment {
            id: id.clone(),
            signal: None,
            clock: self.world.clock,
            scope: self.world.scope.child(&format!("{} {id}", kind.name())),
            metrics: self.world.metrics.clone(),
            health: self.world.health.clone(),
            tracer: self.world.tracer.clone(),
            budget: self.world.budget.clone(),
            network: self.world.network.clone(),
            data_dir: self.world.data_dir.clone(),
            extensions: self.extensions.clone(),
        }
    }
}

/// The consumers at the heads of the pipelines, by who feeds them.
#[derive(Default)]
struct Heads(BTreeMap<(ComponentId, Signal), Vec<Arc<dyn Consumer>>>);

impl Heads {
    fn add(&mut self, pipeline: &PlannedPipeline, head: &Arc<dyn Consumer>) {
        for id in &pipeline.receivers {
            let key = (id.clone(), pipeline.id.signal);
            self.0.entry(key).or_default().push(Arc::clone(head));
        }
    }

    /// The consumer behind a receiver or connector; `None` when no pipeline takes this from it.
    fn after(&self, id: &ComponentId, signal: Signal) -> Option<Arc<dyn Consumer>> {
        self.0.get(&(id.clone(), signal)).cloned().map(FanOut::over)
    }
}

fn error_of(kind: Kind, id: &ComponentId) -> impl FnOnce(StartError) -> GraphError {
    let id = id.clone();
    move |error| GraphError { kind, id, error }
}

/// The closing order: the pipelines' processors from upstream to downstream, each connector after
/// the pipelines that feed it and before those it feeds.
fn flow_of(plan: &Plan) -> Vec<Stage> {
    let mut flow = Vec::new();
    for pipeline in &plan.pipelines {
        for id in &pipeline.receivers {
            let stage = Stage::Connector(id.clone());
            if plan.connectors.contains_key(id) && !flow.contains(&stage) {
                flow.push(stage);
            }
        }
        let place = |id: &ComponentId| Place { pipeline: pipeline.id.clone(), id: id.clone() };
        flow.extend(pipeline.processors.iter().map(|id| Stage::Processor(place(id))));
    }
    flow
}

impl std::fmt::Debug for Assembly<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assembly").field("parts", &self.parts).finish_non_exhaustive()
    }
}
