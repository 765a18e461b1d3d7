use super::*;

const ENDS: Ends = Ends { from: "test", to: "owner" };

#[tokio::test]
async fn signals_overtake_data() {
    let (post, mut mailbox) = mailbox::<&str, u32>(ENDS);
    post.data(1).unwrap();
    post.signal("ended");
    assert_eq!(mailbox.recv().await, Mail::Signal("ended"));
    assert_eq!(mailbox.recv().await, Mail::Data(1));
    assert_eq!(mailbox.try_recv(), None);
}

#[test]
fn a_closed_mailbox_gives_data_back() {
    let (post, mut mailbox) = mailbox::<&str, u32>(ENDS);
    post.data(1).unwrap();
    assert_eq!(mailbox.close(), [1]);
    assert_eq!(post.data(2), Err(2));
    drop(mailbox);
    assert_eq!(post.data(3), Err(3));
}

#[test]
fn a_signal_may_post_while_it_is_dropped() {
    struct Guard(Post<Self, u32>);
    impl Drop for Guard {
        fn drop(&mut self) {
            assert_eq!(self.0.data(1), Err(1));
        }
    }
    let (post, mailbox) = mailbox(ENDS);
    post.signal(Guard(post.clone()));
    drop(mailbox);
    post.signal(Guard(post.clone()));
}
