"""What vendors offer besides conversations: embeddings, ranking, pictures, speech and transcription.

One module for each operation, with the shapes of the vendors that differ. The results are made up but orderly: the same text has the same
vector, a document ranks by the words it shares with the query, a transcript tells what file it was made of.
"""
