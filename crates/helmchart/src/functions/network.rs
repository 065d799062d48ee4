//! Looking things up: never on the network, never in a cluster.

use gotemplate::Map;

use super::call::Call;
use super::go::Answer;

/// Helm asks the name service only with `--enable-dns`; without it the answer is empty.
pub(crate) fn get_host_by_name(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    Ok("".into())
}

/// What `helm template` answers without a cluster.
pub(crate) fn lookup(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    Ok(Map::new().into())
}
