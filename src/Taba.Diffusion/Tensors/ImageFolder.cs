using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Pictures as rows of a tensor [N,3,H,W], float32 in [-1,1] (x/127.5 - 1): the PNG and JPEG files of a folder in natural order of
/// their names (a2 before a10), or one such file. A picture of another size is cropped around its centre to the wanted
/// proportions (to a square, for square states) and resized with an antialiased bicubic filter; grey becomes three equal channels,
/// transparency is laid over white, a photograph is turned as its EXIF says. Files are read when their row is asked for. Safe
/// for several threads.
/// </summary>
public sealed class ImageFolder
{
    /// <summary>The largest file that is read.</summary>
    public const int MaxFileBytes = 256 << 20;

    const int Channels = 3;
    const int MaxFiles = 1 << 22;
    const int MaxSide = 1 << 14;

    static readonly string[] s_endings = [".png", ".jpg", ".jpeg"];

    readonly string _folder;

    ImageFolder(string folder, IReadOnlyList<string> names, int height, int width)
    {
        _folder = folder;
        Names = names;
        Shape = new StateShape(Channels, height, width);
    }

    /// <summary>The files' names, in the order of rows.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of pictures.</summary>
    public int Count => Names.Count;

    /// <summary>3,H,W of a row.</summary>
    public StateShape Shape { get; }

    /// <summary>Bytes of a row.</summary>
    public int RowBytes => checked((int)(Shape.Elements * sizeof(float)));

    /// <summary>Lists the pictures; none is opened.</summary>
    /// <param name="path">
    /// A folder that holds PNG and JPEG files and no others (hidden ones and folders do not count), or one such file.
    /// </param>
    /// <param name="height">Rows of pixels wanted.</param>
    /// <param name="width">Columns of pixels wanted.</param>
    /// <exception cref="InvalidDataException">The folder holds no pictures, or something else beside them.</exception>
    /// <exception cref="IOException">The path is absent or cannot be read.</exception>
    public static ImageFolder Open(string path, int height, int width)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, MaxSide);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, MaxSide);

        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            return new ImageFolder(full, List(full, path), height, width);
        if (!File.Exists(full))
            throw new FileNotFoundException($"{path} does not exist; a folder of PNG or JPEG files, or one such file, is expected.", path);
        return IsPicture(full)
            ? new ImageFolder(Path.GetDirectoryName(full)!, [Path.GetFileName(full)], height, width)
            : throw new InvalidDataException($"{path} does not end in {string.Join(", ", s_endings)}; PNG and JPEG files are read.");
    }

    /// <summary>
    /// SHA-256 over names and bytes of the files, in order: 64 lower-case hexadecimal digits. Reads every file, and decodes none.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is too large, or not the whole of a PNG or JPEG.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public string ComputeDigest(CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in Names)
        {
            cancellation.ThrowIfCancellationRequested();
            Append(hash, Encoding.UTF8.GetBytes(name));
            var file = Read(name);
            PictureCheck.RequireWhole(file, Path.Combine(_folder, name));
            Append(hash, file);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Decodes rows [start, start+count) as little-endian float32, [count,3,H,W].</summary>
    /// <param name="start">The first row, 0 .. <see cref="Count"/>.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="destination">Exactly <paramref name="count"/> · <see cref="RowBytes"/> bytes.</param>
    /// <exception cref="InvalidDataException">A file is damaged, no PNG or JPEG, or too large.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public void ReadRows(long start, int count, Span<byte> destination)
    {
        if (start < 0 || count < 0 || start > Count - count)
            throw new ArgumentOutOfRangeException(
                nameof(start), start, $"{count} pictures from {start} on were asked for; there are {Count}.");
        if (destination.Length != (long)count * RowBytes)
            throw new ArgumentException($"{count} rows of {RowBytes} bytes do not fit {destination.Length} bytes.", nameof(destination));
        for (var i = 0; i < count; i++)
            ReadRow(Names[(int)start + i], MemoryMarshal.Cast<byte, float>(destination.Slice(i * RowBytes, RowBytes)));
    }

    /// <summary>A picture as its file has it, neither cropped nor resized: [height,width,3].</summary>
    /// <exception cref="InvalidDataException">The file is damaged, no PNG or JPEG, or too large.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public (byte[] Pixels, int Height, int Width) ReadPicture(int row) =>
        PictureDecoder.Decode(Read(Names[row]), Path.Combine(_folder, Names[row]));

    void ReadRow(string name, Span<float> row)
    {
        var (pixels, height, width) = PictureDecoder.Decode(Read(name), Path.Combine(_folder, name));
        var (cropped, cropHeight, cropWidth) = Crop(pixels, height, width);
        var resized = PixelResize.Bicubic(cropped, cropHeight, cropWidth, Channels, Shape.Height, Shape.Width);
        var plane = Shape.Height * Shape.Width;
        for (var at = 0; at < plane; at++)
        {
            for (var c = 0; c < Channels; c++)
                row[c * plane + at] = resized[at * Channels + c] / 127.5f - 1;
        }
    }

    /// <summary>
    /// The largest part of the wanted proportions around the centre; of an odd rest the smaller half lies left and above.
    /// </summary>
    (byte[] Pixels, int Height, int Width) Crop(byte[] pixels, int height, int width)
    {
        var cropWidth = (int)Math.Clamp((long)height * Shape.Width / Shape.Height, 1, width);
        var cropHeight = (int)Math.Clamp((long)width * Shape.Height / Shape.Width, 1, height);
        if (cropWidth == width && cropHeight == height)
            return (pixels, height, width);

        var (left, top) = ((width - cropWidth) / 2, (height - cropHeight) / 2);
        var part = GC.AllocateUninitializedArray<byte>(cropHeight * cropWidth * Channels);
        var line = cropWidth * Channels;
        for (var y = 0; y < cropHeight; y++)
            pixels.AsSpan(((top + y) * width + left) * Channels, line).CopyTo(part.AsSpan(y * line));
        return (part, cropHeight, cropWidth);
    }

    byte[] Read(string name) => InputFile.Read(Path.Combine(_folder, name), MaxFileBytes, "a PNG or JPEG picture");

    static List<string> List(string folder, string path)
    {
        var names = new List<string>();
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(file);
            if (name.StartsWith('.'))
                continue;
            if (!IsPicture(name))
                throw new InvalidDataException(
                    $"{path} holds {name} among its pictures; only files that end in {string.Join(", ", s_endings)} may lie there, "
                    + "since every file is a row.");
            if (names.Count == MaxFiles)
                throw new InvalidDataException($"{path} holds more than {MaxFiles} pictures.");
            names.Add(name);
        }

        if (names.Count == 0)
        {
            var folders = Directory.EnumerateDirectories(folder).Count();
            throw new InvalidDataException(
                $"{path} holds no PNG or JPEG files{(folders == 0 ? "" : $", only {folders} folders, which are not looked into")}.");
        }

        names.Sort(NaturalOrder.Instance);
        return names;
    }

    static bool IsPicture(string path) => s_endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    static void Append(IncrementalHash hash, byte[] bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
