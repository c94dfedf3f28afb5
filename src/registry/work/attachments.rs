//! Files that come with answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Visitor;
use super::{none, unlawful};
use crate::model::{Code, Digest, Refusal, Result, new_uuid};
use crate::store::Errand;
use crate::workflow::{Attachment, FileKind, Hearing, Line};

/// A file to add to an answer.
pub struct FileRequest<'b> {
    /// What it is called.
    pub name: Line,
    /// The media type that was declared.
    pub media_type: Option<&'b str>,
    /// Its bytes.
    pub bytes: &'b [u8],
}

/// A file, with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// What is known of it.
    pub attachment: Attachment,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Registry {
    /// Adds a file to an answer that is being written.
    ///
    /// # Errors
    /// [`Code::UnsupportedType`], [`Code::TooLarge`]; as [`Registry::change_answer`].
    pub async fn attach(
        &self,
        visitor: &Visitor,
        hearing: Uuid,
        answer: Uuid,
        request: FileRequest<'_>,
    ) -> Result<Attachment> {
        if request.name.as_str().contains(['/', '\\', ':']) {
            let (da, en) = ("det er ikke et filnavn", "that is not the name of a file");
            return Err(unlawful("name", da, en));
        }
        let kind = FileKind::of(request.bytes, request.name.as_str(), request.media_type)?;
        let body = STANDARD.encode(request.bytes);
        let (mut under, errand, mut written) = self.draft_of_answer(visitor, hearing, answer).await?;
        if written.attachments.len() >= Hearing::MOST_FILES {
            let most = Hearing::MOST_FILES.to_string();
            return Err(
                Refusal::new(Code::TooLarge, "der er for mange filer", "there are too many files").allowed([most])
            );
        }
        let attachment = Attachment {
            uuid: new_uuid(self.dice())?,
            name: request.name,
            media_type: kind.media_type().into(),
            size: request.bytes.len() as u64,
            digest: Digest::of(request.bytes),
        };
        written.attachments.push(attachment.clone());
        under.write.put_attachment(attachment.uuid, under.uuid, answer, &body).await?;
        under.write.put_errand(&Errand { body: written.body()?, ..errand }, None).await?;
        self.settle(under.write).await?;
        Ok(attachment)
    }

    /// Takes a file out of an answer that is being written.
    ///
    /// # Errors
    /// [`Code::NotFound`]; as [`Registry::change_answer`].
    pub async fn detach(&self, visitor: &Visitor, hearing: Uuid, answer: Uuid, file: Uuid) -> Result<()> {
        let (mut under, errand, mut written) = self.draft_of_answer(visitor, hearing, answer).await?;
        let at = written.attachments.iter().position(|a| a.uuid == file).ok_or_else(|| none(file))?;
        written.attachments.remove(at);
        under.write.drop_attachment(file, answer).await?;
        under.write.put_errand(&Errand { body: written.body()?, ..errand }, None).await?;
        self.settle(under.write).await.map(drop)
    }

    /// A file of an answer, for one who may read the answer.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Database`], [`Code::Corrupt`].
    pub async fn file(&self, visitor: &Visitor, hearing: Uuid, answer: Uuid, file: Uuid) -> Result<File> {
        let found = self.answer(visitor, hearing, answer).await?;
        let attachment = found.attachments.into_iter().find(|a| a.uuid == file).ok_or_else(|| none(file))?;
        let kept = self.store.attachment(file).await?.filter(|(owner, _)| *owner == answer);
        let (_, body) = kept.ok_or_else(|| none(file))?;
        let bytes = STANDARD.decode(body).map_err(|e| Refusal::new(Code::Corrupt, e.to_string(), e.to_string()))?;
        if Digest::of(&bytes) != attachment.digest {
            let (da, en) = ("filen er ikke den, der blev sendt", "the file is not the one that was sent");
            return Err(Refusal::new(Code::Corrupt, da, en));
        }
        Ok(File { attachment, bytes })
    }
}
