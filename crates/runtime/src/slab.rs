//! Slab: values under small numbers that are used again.
//!
//! Bounds: it is as long as the most values it ever held at a time.

/// Values by number.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Keeps `value` and says under which number.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        if let Some(number) = self.free.pop() {
            self.slots[number] = Some(value);
            return number;
        }
        self.slots.push(Some(value));
        self.slots.len() - 1
    }

    /// Takes the value of `number` out; the number may be given to another.
    pub(crate) fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.slots.get_mut(number)?.take()?;
        self.free.push(number);
        Some(value)
    }

    pub(crate) fn value(&self, number: usize) -> Option<&T> {
        self.slots.get(number)?.as_ref()
    }

    pub(crate) fn value_mut(&mut self, number: usize) -> Option<&mut T> {
        self.slots.get_mut(number)?.as_mut()
    }

    /// All values, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(number, slot)| slot.as_ref().map(|value| (number, value)))
    }
}

#[cfg(test)]
mod tests;
