//! Simulated: a volume in memory that can lose power, tear writes, fail and hang.
//!
//! What was not synced is lost in part when the power goes: each sector and each change of a name by
//! itself. After a failed sync the bytes still read back but may never reach the disk, as on Linux.
//! Every step can be kept as a [`Moment`], from which the disk after a crash is made.

mod image;

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use self::image::Image;
use super::{Access, Entry, Volume, VolumeFile};
use crate::random::Random;

/// A volume in memory. Clones are the same disk.
#[derive(Clone)]
pub struct Simulated {
    shared: Arc<Shared>,
}

/// The disk at one moment, with what was not synced yet.
#[derive(Clone, Debug)]
pub struct Moment {
    image: Image,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails; of a write or a sync, a part is done.
    Fails,
    /// There is no room.
    Full,
    /// The call does not end before [`Simulated::release`].
    Hangs,
}

/// How the machine goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Only the process ends; what was written is there.
    Killed,
    /// What was not synced may be lost, torn, or there.
    PowerLost,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    released: Condvar,
}

#[derive(Debug)]
struct World {
    image: Image,
    is_locked: bool,
    /// Bytes that all files together may have.
    bytes_max: u64,
    /// Calls that change the disk, so far.
    steps: u64,
    /// The step at which something goes wrong, and what.
    faults: Vec<(u64, Fault)>,
    /// Everything fails from this step on: the process is about to be gone.
    ends_at: Option<u64>,
    history: Option<Vec<Moment>>,
    random: Random,
    hangs: bool,
}

impl Simulated {
    /// An empty disk; `seed` decides what faults do in part.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(Image::default(), seed)
    }

    /// The disk as the next process finds it after a crash at `moment`.
    #[must_use]
    pub fn after(moment: &Moment, crash: Crash, seed: u64) -> Self {
        let random = Random::seeded(seed);
        let image = match crash {
            Crash::Killed => moment.image.clone(),
            Crash::PowerLost => moment.image.after_power_loss(&random),
        };
        Self::with(image, seed)
    }

    fn with(image: Image, seed: u64) -> Self {
        let world = World {
            image,
            is_locked: false,
            bytes_max: u64::MAX,
            steps: 0,
            faults: Vec::new(),
            ends_at: None,
            history: None,
            random: Random::seeded(seed),
            hangs: false,
        };
        let shared = Shared { world: Mutex::new(world), released: Condvar::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Keeps every moment from now on.
    pub fn record(&self) {
        self.world().history = Some(Vec::new());
    }

    /// The moments kept: before each step, and now.
    #[must_use]
    pub fn moments(&self) -> Vec<Moment> {
        let mut moments = self.world().history.take().unwrap_or_default();
        moments.push(self.moment());
        moments
    }

    /// The disk now.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { image: self.world().image.clone() }
    }

    /// How many calls changed the disk, or tried.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.world().steps
    }

    /// Lets the call number `step`, counted from zero, go wrong.
    pub fn fault_at(&self, step: u64, fault: Fault) {
        self.world().faults.push((step, fault));
    }

    /// Lets every call from number `step` on fail.
    pub fn end_at(&self, step: u64) {
        self.world().ends_at = Some(step);
    }

    /// Sets how many bytes all files may have together.
    pub fn set_bytes_max(&self, bytes: u64) {
        self.world().bytes_max = bytes;
    }

    /// Lets calls that hang go on.
    pub fn release(&self) {
        self.world().hangs = false;
        self.shared.released.notify_all();
    }

    /// Lets nothing go wrong any more, and what hangs go on.
    pub fn heal(&self) {
        self.world().faults.clear();
        self.release();
    }

    /// Turns one bit of what is on the disk.
    pub fn flip(&self, name: &str, bit: u64) {
        self.world().image.flip(name, bit);
    }

    /// What a file contains now.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.world().image.contents(name).map(<[u8]>::to_vec)
    }

    /// Makes a file with these contents, synced.
    pub fn put(&self, name: &str, contents: &[u8]) {
        self.world().image.put(name, contents);
    }

    /// Counts a step; gives the fault that it meets.
    fn step(&self) -> Result<Option<Fault>, io::Error> {
        let mut world = self.world();
        let step = world.steps;
        world.steps += 1;
        if world.ends_at.is_some_and(|end| end <= step) {
            return Err(io::Error::other("simulated end of the process"));
        }
        if world.history.is_some() {
            let moment = Moment { image: world.image.clone() };
            world.history.as_mut().expect("it is there").push(moment);
        }
        let fault = world.faults.iter().find(|(at, _)| *at == step).map(|(_, fault)| *fault);
        if fault == Some(Fault::Hangs) {
            world.hangs = true;
            while world.hangs {
                world = self.shared.released.wait(world).unwrap_or_else(PoisonError::into_inner);
            }
            return Ok(None);
        }
        Ok(fault)
    }

    /// Counts a step that is done whole or fails.
    fn whole_step(&self) -> io::Result<MutexGuard<'_, World>> {
        let fault = self.step()?;
        fault.map_or_else(|| Ok(self.world()), |fault| Err(fault.error()))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, inode: usize) -> Arc<dyn VolumeFile> {
        Arc::new(SimulatedFile { disk: self.clone(), inode })
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::Full => ErrorKind::StorageFull.into(),
            Self::Fails | Self::Hangs => io::Error::other("simulated failure of the disk"),
        }
    }
}

impl Volume for Simulated {
    fn name(&self) -> String {
        "simulated".to_owned()
    }

    fn lock(&self) -> io::Result<bool> {
        Ok(!std::mem::replace(&mut self.world().is_locked, true))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        Ok(self.world().image.list())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn VolumeFile>> {
        let mut world = self.whole_step()?;
        if world.bytes_max < world.image.bytes() + bytes {
            return Err(ErrorKind::StorageFull.into());
        }
        let inode = world.image.create(name, bytes)?;
        drop(world);
        Ok(self.file(inode))
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Arc<dyn VolumeFile>> {
        let inode = self.world().image.find(name)?;
        Ok(self.file(inode))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.whole_step()?.image.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.whole_step()?.image.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.whole_step()?.image.sync_names();
        Ok(())
    }
}

struct SimulatedFile {
    disk: Simulated,
    inode: usize,
}

impl VolumeFile for SimulatedFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.world().image.file(self.inode).current.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let world = self.disk.world();
        let current = &world.image.file(self.inode).current;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = start.checked_add(buffer.len()).and_then(|end| current.get(start..end));
        buffer.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, slices: &[Bytes], offset: u64) -> io::Result<()> {
        let fault = self.disk.step()?;
        let mut bytes = slices.concat();
        let mut world = self.disk.world();
        if fault.is_some() {
            let part = world.random.below(bytes.len() as u64 + 1);
            bytes.truncate(usize::try_from(part).unwrap_or(0));
        }
        world.image.write(self.inode, offset, bytes);
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn set_aside(&self, bytes: u64) -> io::Result<()> {
        let mut world = self.disk.whole_step()?;
        let has = world.image.file(self.inode).current.len() as u64;
        let missing = bytes.saturating_sub(has);
        if world.bytes_max < world.image.bytes() + missing {
            return Err(ErrorKind::StorageFull.into());
        }
        world.image.resize(self.inode, bytes.max(has));
        Ok(())
    }

    fn resize(&self, bytes: u64) -> io::Result<()> {
        self.disk.whole_step()?.image.resize(self.inode, bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let fault = self.disk.step()?;
        let mut world = self.disk.world();
        match fault {
            None => {
                world.image.sync(self.inode);
                Ok(())
            }
            Some(fault) => {
                let random = world.random.clone();
                world.image.fail_sync(self.inode, &random);
                Err(fault.error())
            }
        }
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world();
        write!(f, "Simulated({} files, {} steps)", world.image.list().len(), world.steps)
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimulatedFile({})", self.inode)
    }
}
