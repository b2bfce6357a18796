//! The scenes that the page can show: an experiment, an objective, and what the data are made from.
//!
//! Every request names its scene, so that no request depends on an earlier one; what was built lately is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, ExperimentError, Source, objectives};

use super::session::{Map, Session};

/// Scenes that are kept.
const KEPT: usize = 8;

/// What a request is about; what it does not say is as in the experiment that was opened.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The experiment.
    experiment: Option<String>,
    /// The objective; the experiment's own if absent.
    objective: Option<String>,
    /// The map's two parameters in the data; as the experiment has them if absent.
    data: Option<[f64; 2]>,
}

/// A scene on its way to be built, and its maps.
#[derive(Default)]
pub struct Stage {
    /// What was built.
    pub session: OnceCell<Session>,
    /// Its map, as fine as it gets.
    pub map: OnceCell<Map>,
}

/// An experiment on offer.
#[derive(Serialize)]
pub struct Offer {
    name: String,
    about: String,
}

/// All scenes of a page.
pub struct Scenes {
    /// The experiment that was opened, and its name.
    opened: (String, Source),
    kept: Mutex<VecDeque<(Scene, Arc<Stage>)>>,
}

impl Scenes {
    /// Scenes around an experiment that was opened.
    pub fn new(source: Source, session: Session) -> Self {
        let stage = Stage { session: OnceCell::new_with(Some(session)), map: OnceCell::new() };
        let opened = (stage.session.get().map_or_else(String::new, |s| s.experiment.name.clone()), source);
        Self { opened, kept: Mutex::new(VecDeque::from([(Scene::default(), Arc::new(stage))])) }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Scene, Arc<Stage>)>> {
        // Whoever panicked left it consistent.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a scene; the one that was not asked for for longest goes.
    pub fn stage(&self, scene: &Scene) -> Arc<Stage> {
        let mut scene = scene.clone();
        // It has one name.
        scene.experiment = scene.experiment.filter(|name| *name != self.opened.0);
        let mut kept = self.kept();
        let found = kept.iter().position(|(other, _)| *other == scene).and_then(|i| kept.remove(i));
        let (scene, stage) = found.unwrap_or_else(|| (scene, Arc::default()));
        kept.push_front((scene, stage.clone()));
        kept.truncate(KEPT);
        stage
    }

    /// Builds a scene; the error is for the page.
    pub fn build(&self, scene: &Scene) -> Result<Session, String> {
        let source = self.source(scene.experiment.as_deref())?;
        let session = self.with_objective(&source, scene.objective.as_deref())?;
        match scene.data {
            None => Ok(session),
            Some(at) => session.on_data_from(at).map_err(|error| format!("data: {error}")),
        }
    }

    /// What may be asked for: the experiment that was opened, and those that come with the program.
    pub fn experiments(&self) -> Vec<Offer> {
        let opened = Offer { name: self.opened.0.clone(), about: "opened".into() };
        let others = builtin::descriptions().filter(|(name, _)| *name != self.opened.0);
        let played = others
            .filter(|(name, _)| self.source(Some(name)).is_ok_and(|source| self.with_objective(&source, None).is_ok()));
        let others = played.map(|(name, about)| Offer { name: name.into(), about: about.into() });
        std::iter::once(opened).chain(others).collect()
    }

    /// Names of the objectives that a scene's experiment can have.
    pub fn objectives(&self, scene: &Scene) -> Result<Vec<&'static str>, String> {
        let source = self.source(scene.experiment.as_deref())?;
        let names = objectives::FAMILY.names().into_iter();
        Ok(names.filter(|name| self.with_objective(&source, Some(name)).is_ok()).collect())
    }

    fn source(&self, experiment: Option<&str>) -> Result<Source, String> {
        let Some(name) = experiment.filter(|name| *name != self.opened.0) else { return Ok(self.opened.1.clone()) };
        let text = builtin::text(name);
        let text = text.ok_or_else(|| format!("experiment: there is no {name:?}; start `wngd play` with it"))?;
        Source::parse(format!("built-in {name}"), None, text.into()).map_err(|error| error.to_string())
    }

    fn with_objective(&self, source: &Source, objective: Option<&str>) -> Result<Session, String> {
        let build =
            |source: &Source| -> Result<Session, ExperimentError> { Session::new(source, Experiment::build(source)?) };
        match objective {
            None => build(source).map_err(|error| error.to_string()),
            // By its entry's name, which is no text of the request.
            Some(name) => match objectives::FAMILY.find(name) {
                None => Err(format!("objective: there is no {name:?}")),
                Some(entry) => source
                    .with(&[format!("objective.kind=\"{}\"", entry.name)])
                    .and_then(|source| build(&source))
                    .map_err(|error| format!("objective: {error}")),
            },
        }
    }
}
