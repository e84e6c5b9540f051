//! Integer sums as a group: what was added can be taken away again, exactly and in any order.

/// Addition, subtraction and negation field by field, for a struct of `i64` fields.
/// Signed, so that a shard that saw only the retraction still merges to the right sum.
macro_rules! group {
    ($name:ident { $($field:ident),+ }) => {
        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)+
            }
        }

        impl std::ops::SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                $(self.$field -= other.$field;)+
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;

            fn add(mut self, other: Self) -> Self {
                self += other;
                self
            }
        }

        impl std::ops::Neg for $name {
            type Output = Self;

            fn neg(self) -> Self {
                Self { $($field: -self.$field),+ }
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::default(), |sum, item| sum + item)
            }
        }

        impl $name {
            /// Nothing is left: a store may drop the row.
            pub fn is_zero(&self) -> bool {
                *self == Self::default()
            }
        }
    };
}
pub(crate) use group;
