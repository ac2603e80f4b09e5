namespace Taba.Client.Drawing;

/// <summary>A drawing with what a reader must know of it.</summary>
/// <param name="Name">Of its file, without the ending; no other figure of a report has it.</param>
/// <param name="Title">What it shows, in a few words.</param>
/// <param name="Note">How it was measured, of how many samples: the words below it.</param>
sealed record Figure(string Name, string Title, string Note, Svg Drawing)
{
    public string FileName => $"{Name}.svg";

    public byte[] File => Drawing.File(Title, Note);
}
