//! Sends mail over SMTP.

use base::Secret;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;
use watch::channel::{Answer, Mail, MailAnswer, MailServer, Tls};

/// Sends a mail, and says what the server's reply means.
pub async fn send(server: &MailServer, mail: &Mail, timeout: Duration) -> Answer {
    let message = match message(mail) {
        Ok(message) => message,
        Err(why) => return MailAnswer::Code { code: 553, text: &why }.classify(),
    };
    let transport = match transport(server, timeout) {
        Ok(transport) => transport,
        Err(why) => return MailAnswer::None { why: &why }.classify(),
    };
    match transport.send(message).await {
        Ok(_) => Answer::Delivered { number: None },
        Err(error) => {
            let why = crate::chain(&error);
            match error.status() {
                Some(code) => MailAnswer::Code { code: code.into(), text: &why }.classify(),
                None => MailAnswer::None { why: &why }.classify(),
            }
        }
    }
}

fn transport(server: &MailServer, timeout: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let wrong = |error: lettre::transport::smtp::Error| crate::chain(&error);
    let builder = match server.tls {
        Tls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host),
        Tls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&server.host).map_err(wrong)?,
        Tls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&server.host).map_err(wrong)?,
    };
    let builder = builder.port(server.port).timeout(Some(timeout));
    Ok(match &server.login {
        Some((user, password)) => builder.credentials(credentials(user, password)),
        None => builder,
    }
    .build())
}

fn credentials(user: &str, password: &Secret) -> Credentials {
    Credentials::new(user.to_owned(), password.reveal().to_owned())
}

fn message(mail: &Mail) -> Result<Message, String> {
    let mailbox = |raw: &str| raw.parse::<Mailbox>().map_err(|error| format!("{raw:?}: {error}"));
    let mut builder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(mail.subject.clone())
        .message_id(Some(mail.message_id.clone()));
    for to in &mail.to {
        builder = builder.to(mailbox(to)?);
    }
    if let Some(references) = &mail.references {
        builder = builder.in_reply_to(references.clone()).references(references.clone());
    }
    for (name, value) in &mail.headers {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value.clone()));
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    builder.multipart(body).map_err(|error| error.to_string())
}
