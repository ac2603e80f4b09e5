using System.Text;

namespace Taba.Diffusion.Weights;

/// <summary>Says what a file is that holds no tensors, where it is one of those that lie in the place of weights.</summary>
static class OtherFile
{
    const int ProbeBytes = 512;

    /// <summary>Paths of links that were written out as text are short.</summary>
    const int MaxPath = 400;

    static readonly string[] s_pages = ["<!doctype html", "<html", "<?xml"];

    /// <summary>A sentence for a refusal.</summary>
    public static string Describe(SourceFile file)
    {
        var probe = new byte[Math.Min(ProbeBytes, file.Length)];
        file.ReadExactly(0, probe, "the beginning");
        var text = Text(probe);
        if (text.StartsWith("version https://git-lfs.github.com/spec/", StringComparison.Ordinal))
            return "it is a pointer of git-lfs and not the file itself: fetch that with 'git lfs pull' in its folder.";
        if (IsWebPage(text))
        {
            return "it is a web page: whatever downloaded it was given a page (a sign-in, a proxy, an error) in place of the file; "
                + "download it again.";
        }
        if (text.StartsWith('{') || text.StartsWith('['))
            return "it is JSON text, not weights: safetensors begin with eight bytes of length, and torch.save's files are binary.";
        return file.Length <= MaxPath && IsPath(text)
            ? "it holds a path as text, so it was a symbolic link that some copy wrote out: copy what it points to (cp -L), or download it "
                + "again."
            : "it is neither safetensors, nor a file of torch.save, nor .npy.";
    }

    /// <summary>True when bytes begin as a page of HTML does.</summary>
    public static bool IsWebPage(ReadOnlySpan<byte> beginning) => IsWebPage(Text(beginning[..Math.Min(ProbeBytes, beginning.Length)]));

    static bool IsWebPage(string text) => s_pages.Any(page => text.StartsWith(page, StringComparison.OrdinalIgnoreCase));

    /// <summary>The bytes as text, without a byte order mark and blanks before it.</summary>
    static string Text(ReadOnlySpan<byte> bytes) =>
        Encoding.Latin1.GetString(bytes).TrimStart('\u00ef', '\u00bb', '\u00bf', ' ', '\t', '\r', '\n');

    static bool IsPath(string text) => text.Trim() is { Length: > 0 } path && path.Contains('/', StringComparison.Ordinal)
        && !path.AsSpan().ContainsAnyInRange('\0', ' ');
}
